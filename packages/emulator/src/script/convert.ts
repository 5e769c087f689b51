import { createHash } from "node:crypto";
import { ScriptError, scriptErrors } from "./errors.ts";
import { list, num, readWord, render, str, type Value } from "./values.ts";

/** Characters of base 32, RFC 4648. */
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Bytes are texts of one character each. */
type Bytes = string;

const latin1 = (buffer: Uint8Array): Bytes => Buffer.from(buffer).toString("latin1");
const buffer = (bytes: Bytes): Buffer => Buffer.from(bytes, "latin1");

function fromBase32(text: string): Bytes {
  let bits = "";
  for (const character of text.toUpperCase().replace(/=+$/, "")) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) throw scriptErrors.argument("value");
    bits += digit.toString(2).padStart(5, "0");
  }
  const bytes = bits.match(/.{8}/g) ?? [];
  return latin1(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2)));
}

function toBase32(bytes: Bytes): string {
  const bits = [...buffer(bytes)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g) ?? [];
  const digits = groups.map((group) => BASE32[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
  return digits.padEnd(Math.ceil(digits.length / 8) * 8, "=");
}

function matching(text: string, form: RegExp): string {
  if (!form.test(text)) throw scriptErrors.argument("value");
  return text;
}

function fromUrl(text: string): Bytes {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const toUrl = (bytes: Bytes): string =>
  bytes.replace(
    /[^A-Za-z0-9._~-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );

function fromArray(value: Value): Bytes {
  const items = value.type === "array" ? value.items : [];
  const bytes = items.map(({ value: byte }) => Number(render(byte)));
  if (value.type !== "array" || bytes.some((byte) => !(byte >= 0 && byte <= 255))) {
    throw scriptErrors.argument("value");
  }
  return latin1(Uint8Array.from(bytes));
}

const FROM: Readonly<Record<string, (value: Value) => Bytes>> = {
  raw: render,
  hex: (value) => latin1(Buffer.from(matching(render(value), /^([0-9A-Fa-f]{2})*$/), "hex")),
  base32: (value) => fromBase32(render(value)),
  base64: (value) => latin1(Buffer.from(matching(render(value), /^[A-Za-z0-9+/]*={0,2}$/), "base64")),
  url: (value) => fromUrl(render(value)),
  "byte-array": fromArray,
};

const TO: Readonly<Record<string, (bytes: Bytes) => Value>> = {
  raw: str,
  hex: (bytes) => str(buffer(bytes).toString("hex")),
  base32: (bytes) => str(toBase32(bytes)),
  base64: (bytes) => str(buffer(bytes).toString("base64")),
  url: (bytes) => str(toUrl(bytes)),
  "byte-array": (bytes) => list([...buffer(bytes)].map(num)),
  num: (bytes) => num(bytes === "" ? 0 : BigInt(`0x${buffer(bytes).toString("hex")}`)),
};

const hashed =
  (algorithm: string) =>
  (bytes: Bytes): Bytes =>
    latin1(createHash(algorithm).update(buffer(bytes)).digest());

const rotated = (letter: string): string => {
  const base = letter <= "Z" ? 65 : 97;
  return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
};

export const toLf = (bytes: Bytes): Bytes => bytes.replace(/\r\n/g, "\n");
export const toCrlf = (bytes: Bytes): Bytes => toLf(bytes).replace(/\n/g, "\r\n");

const TRANSFORM: Readonly<Record<string, (bytes: Bytes) => Bytes>> = {
  none: (bytes) => bytes,
  lc: (bytes) => bytes.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  uc: (bytes) => bytes.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  lcfirst: (bytes) => bytes.replace(/^[A-Z]/, (letter) => letter.toLowerCase()),
  ucfirst: (bytes) => bytes.replace(/^[a-z]/, (letter) => letter.toUpperCase()),
  crlf: toCrlf,
  rot13: (bytes) => bytes.replace(/[A-Za-z]/g, rotated),
  reverse: (bytes) => [...bytes].reverse().join(""),
  md5: hashed("md5"),
  sha512: hashed("sha512"),
};

/**
 * `:convert`. Without `from` the value is what its text stands for ("001" is 1), without `to` it comes out as bytes.
 * Source: MikroTik manual, "Scripting", global commands.
 * @throws ScriptError for a value that isn't in its format, and for formats whose form isn't published
 */
export function convert(value: Value, from: string, to: string, transform: string): Value {
  const given = from === "" ? render(value.type === "str" ? readWord(value.value) : value) : undefined;
  const bytes = given ?? known(FROM, from, "from")(value);
  return known(TO, to || "raw", "to")(known(TRANSFORM, transform || "none", "transform")(bytes));
}

function known<T>(table: Readonly<Record<string, T>>, name: string, argument: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!found) throw new ScriptError(`failure: the emulator does not do :convert ${argument}=${name}`);
  return found;
}

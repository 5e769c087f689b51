import ipaddr from "ipaddr.js";
import { EXTENDED_USAGES, EXTENSION, SIGNATURES, SUBJECT, type Subject, USAGE_BITS } from "./names.ts";

/** One value of DER (ITU-T X.690). */
interface Value {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag and length with it. */
  readonly whole: Buffer;
}

/** The values one after another in `bytes`. @throws RangeError for what ends in the middle of one */
function valuesIn(bytes: Buffer): readonly Value[] {
  const values: Value[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) throw new RangeError("no DER");
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const from = at + 2 + lengthBytes;
    const end = from + length;
    if (end > bytes.length) throw new RangeError("no DER");
    values.push({ tag: bytes[at] ?? 0, content: bytes.subarray(from, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return values;
}

function child(value: Value | undefined, index: number): Value {
  const found = value && valuesIn(value.content)[index];
  if (!found) throw new RangeError("no certificate");
  return found;
}

/** "2.5.29.19" */
function oidIn({ content }: Value): string {
  const [first = 0, ...rest] = content;
  const arcs = [Math.min(Math.floor(first / 40), 2)];
  arcs.push(first - 40 * (arcs[0] ?? 0));
  let arc = 0;
  for (const byte of rest) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  return arcs.join(".");
}

/** What RouterOS shows of a certificate, read from the certificate. */
export interface CertificateFacts {
  /** The subject as it is there, DER. */
  readonly name: Buffer;
  readonly subject: Subject;
  readonly altNames: readonly string[];
  readonly keyUsage: readonly string[];
  readonly isCa: boolean;
  /** Hexadecimal; undefined where the certificate doesn't say. */
  readonly subjectKey: string | undefined;
  readonly authorityKey: string | undefined;
  /** undefined for an algorithm RouterOS has no name for. */
  readonly digest: string | undefined;
}

/**
 * Read an X.509 certificate, RFC 5280.
 * @throws RangeError when it is none
 */
export function readCertificate(raw: Buffer): CertificateFacts {
  const certificate = valuesIn(raw)[0];
  const body = valuesIn(child(certificate, 0).content);
  // The version is left out for version 1.
  const [, algorithm, , , subject] = body[0]?.tag === 0xa0 ? body.slice(1) : body;
  if (!algorithm || !subject) throw new RangeError("no certificate");
  const list = body.find(({ tag }) => tag === 0xa3);
  const extensions = new Map(
    (list ? valuesIn(child(list, 0).content) : []).map((extension): [string, Value] => {
      const parts = valuesIn(extension.content);
      return [oidIn(child(extension, 0)), child(parts.at(-1), 0)];
    }),
  );
  return {
    name: subject.whole,
    subject: subjectIn(subject),
    altNames: altNamesIn(extensions.get(EXTENSION.altNames)),
    keyUsage: usagesIn(extensions.get(EXTENSION.keyUsage), extensions.get(EXTENSION.extendedKeyUsage)),
    isCa: isCaIn(extensions.get(EXTENSION.basicConstraints)),
    subjectKey: extensions.get(EXTENSION.subjectKey)?.content.toString("hex"),
    authorityKey: authorityKeyIn(extensions.get(EXTENSION.authorityKey)),
    digest: digestOf(oidIn(child(algorithm, 0))),
  };
}

function subjectIn(name: Value): Subject {
  const attributes = valuesIn(name.content).map((part) => child(part, 0));
  const known = Object.entries(SUBJECT).flatMap(([field, id]) => {
    const found = attributes.find((attribute) => oidIn(child(attribute, 0)) === id);
    return found ? [[field, child(found, 1).content.toString("utf8")]] : [];
  });
  return Object.fromEntries(known) as Subject;
}

const digestOf = (id: string): string | undefined =>
  Object.values(SIGNATURES)
    .flatMap((digests) => Object.entries(digests))
    .find(([, known]) => known === id)?.[0];

function isCaIn(constraints: Value | undefined): boolean {
  const [first] = constraints ? valuesIn(constraints.content) : [];
  return first?.tag === 0x01 && first.content[0] !== 0;
}

function authorityKeyIn(identifier: Value | undefined): string | undefined {
  const key = identifier && valuesIn(identifier.content).find(({ tag }) => tag === 0x80);
  return key?.content.toString("hex");
}

function usagesIn(usage: Value | undefined, extended: Value | undefined): readonly string[] {
  const bits = usage?.content.subarray(1) ?? Buffer.alloc(0);
  const plain = USAGE_BITS.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
  const ids = extended ? valuesIn(extended.content).map(oidIn) : [];
  const others = Object.entries(EXTENDED_USAGES).flatMap(([word, id]) => (ids.includes(id) ? [word] : []));
  return [...plain, ...others];
}

/** Kinds RouterOS has a word for. */
function altNamesIn(names: Value | undefined): readonly string[] {
  return (names ? valuesIn(names.content) : []).flatMap(({ tag, content }) => {
    if (tag === 0x82) return [`DNS:${content.toString("latin1")}`];
    if (tag === 0x81) return [`email:${content.toString("latin1")}`];
    const isAddress = tag === 0x87 && (content.length === 4 || content.length === 16);
    return isAddress ? [`IP:${ipaddr.fromByteArray([...content])}`] : [];
  });
}

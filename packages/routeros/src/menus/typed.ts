/** The row of a known menu as typed values, and typed values as the words of `add` and `set`. */
import type { Row } from "../codec/row.ts";
import { InvalidValueError } from "../errors.ts";
import {
  formatBoolean,
  formatDateTime,
  formatDuration,
  formatList,
  parseBoolean,
  parseDateTime,
  parseDurationMs,
  parseList,
  type RouterDateTime,
} from "../values.ts";
import { atLeast, type RouterOsVersion } from "../version.ts";
import { type FieldFacts, type MenuFacts, readField, takesField, wireFieldName } from "./facts.ts";
import type { FieldKind } from "./fields.ts";

/** A day of the router's own calendar. */
export type RouterDate = Pick<RouterDateTime, "year" | "month" | "day">;

/** What the values of each kind are; durations in milliseconds. */
interface Types {
  text: string;
  secret: string;
  boolean: boolean;
  number: number;
  network: string;
  networks: readonly string[];
  policies: readonly string[];
  list: readonly string[];
  duration: number;
  date: RouterDate;
  datetime: RouterDateTime;
}

type Fields = Readonly<Record<string, FieldFacts>>;
type ValuesOf<F> = F extends Fields
  ? { readonly [Name in keyof F]?: Types[F[Name]["kind"]] | undefined }
  : unknown;

/** What can be written to a menu; a field that is left out stays as it is. */
export type TypedValues<M extends MenuFacts> = ValuesOf<M["fields"]>;

/** What a print shows of a menu. */
export type TypedRow<M extends MenuFacts> = TypedValues<M> &
  ValuesOf<M extends { readonly readOnly: infer F } ? F : unknown> & { readonly ".id"?: string };

interface Conversion<T> {
  readonly read: (text: string) => T | undefined;
  readonly write: (value: T, version: RouterOsVersion) => string;
}

const asText: Conversion<string> = { read: (text) => text, write: (text) => text };
const asList: Conversion<readonly string[]> = { read: parseList, write: formatList };
const MIDNIGHT = { hour: 0, minute: 0, second: 0 };

const CONVERSIONS: { readonly [Kind in FieldKind]: Conversion<Types[Kind]> } = {
  text: asText,
  // Not read back: what a router shows in its place is not the secret.
  secret: { read: () => undefined, write: (text) => text },
  boolean: unlessEmpty(parseBoolean, formatBoolean),
  number: unlessEmpty(parseNumber, formatNumber),
  network: asText,
  networks: asList,
  policies: asList,
  list: asList,
  duration: unlessEmpty(parseDurationMs, formatDuration),
  date: unlessEmpty(parseDate, (day, version) =>
    writtenDateTime({ ...day, ...MIDNIGHT }, version).slice(0, -9),
  ),
  datetime: unlessEmpty(parseDateTime, writtenDateTime),
};

/**
 * A printed row of a menu as typed values, under our names for its fields. What the row lacks is undefined, and so is
 * an empty text where the field is no text, and a duration of `none`. Properties the facts don't know are left out.
 * @throws InvalidValueError a text that is not what its field holds; the field is named
 */
export function toTyped<const M extends MenuFacts>(menu: M, row: Row): TypedRow<M> {
  const typed: Record<string, unknown> = {};
  if (row[".id"] !== undefined) typed[".id"] = row[".id"];
  for (const [name, facts] of Object.entries<FieldFacts>({ ...menu.fields, ...menu.readOnly })) {
    const text = readField(facts, name, row);
    if (text === undefined) continue;
    const value = inField(menu, name, () => CONVERSIONS[facts.kind].read(text));
    if (value !== undefined) typed[name] = value;
  }
  return typed as TypedRow<M>;
}

/**
 * Typed values as the attributes of `add` or `set` on this version; undefined ones are left out.
 * @throws InvalidValueError a value that cannot be written, a field the menu does not have, has read-only, or has only
 *   in later versions; the field is named
 */
export function toWire<const M extends MenuFacts>(
  menu: M,
  values: TypedValues<M>,
  version: RouterOsVersion,
): Record<string, string> {
  const wire: Record<string, string> = {};
  for (const [name, value] of Object.entries(values as Readonly<Record<string, unknown>>)) {
    if (value === undefined) continue;
    const facts = Object.hasOwn(menu.fields, name) ? menu.fields[name] : undefined;
    if (!facts || !takesField(facts, version)) {
      throw new InvalidValueError(`${menu.path} has no field ${name} to write on this version`, {
        operation: `write ${menu.path}`,
      });
    }
    const { write } = CONVERSIONS[facts.kind] as Conversion<unknown>;
    wire[wireFieldName(facts, name, version)] = inField(menu, name, () => write(value, version));
  }
  return wire;
}

function inField<T>(menu: MenuFacts, name: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw new InvalidValueError(`${menu.path} ${name}: ${error.message}`, {
      operation: error.operation,
      cause: error,
    });
  }
}

function unlessEmpty<T>(read: (text: string) => T | undefined, write: Conversion<T>["write"]): Conversion<T> {
  return { read: (text) => (text === "" ? undefined : read(text)), write };
}

/** Counters pass 2^53 only after petabytes; what does is refused rather than rounded. */
function parseNumber(text: string): number {
  const number = Number(text);
  if (!/^-?\d{1,16}$/.test(text) || !Number.isSafeInteger(number)) throw noSuch("whole number", text);
  return number;
}

function formatNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw noSuch("whole number", String(value));
  return String(value);
}

function parseDate(text: string): RouterDate {
  const { year, month, day } = parseDateTime(`${text} 00:00:00`);
  return { year, month, day };
}

/**
 * RouterOS 6 takes dates as `sep/26/2026`, 7.24 as `2026-09-26`. Which version in between changed is not written down
 * anywhere we know, so there we refuse instead of guessing.
 */
function writtenDateTime(value: RouterDateTime, version: RouterOsVersion): string {
  if (atLeast(version, "7.24")) return formatDateTime(value, "iso");
  if (!atLeast(version, "7.0beta1")) return formatDateTime(value, "month-name");
  throw new InvalidValueError("how this version writes dates is not known", { operation: "write date" });
}

function noSuch(what: string, text: string): InvalidValueError {
  return new InvalidValueError(`not a ${what}: ${JSON.stringify(text.slice(0, 60))}`, {
    operation: `convert ${what}`,
  });
}

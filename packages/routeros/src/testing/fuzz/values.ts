/** Any text as the value of a property. */

import { isDeepStrictEqual } from "node:util";
import { InvalidValueError } from "../../errors.ts";
import * as values from "../../values.ts";
import { parseVersion } from "../../version.ts";
import type { Target } from "./target.ts";

const SEEDS = [
  "1w2d3h4m5s",
  "10ms551us",
  "01:22:53",
  "2026-09-26 03:00:00",
  "mar/30/2004 06:11:35",
  "*1F",
  "yes",
  "read,!ftp,",
  "7.16.2 (stable)",
  "7.20beta3",
  "6.49.10",
];

/** A duration whose microseconds a number cannot hold exactly comes back as one nearby. */
const LONGEST_MS = Number.MAX_SAFE_INTEGER / 1000;

function writeDuration(ms: number | undefined): string | undefined {
  return ms === undefined || ms > LONGEST_MS ? undefined : values.formatDuration(ms);
}

/** Parsers, and what writes their result where there is a way to write it. */
const FORMS: readonly { read: (text: string) => unknown; write?: (value: never) => string | undefined }[] = [
  { read: values.parseBoolean, write: values.formatBoolean },
  { read: values.parseDurationMs, write: writeDuration },
  { read: values.parseId, write: values.formatId },
  { read: values.parseList, write: values.formatList },
  { read: values.parseDateTime, write: (date: values.RouterDateTime) => values.formatDateTime(date, "iso") },
  {
    read: values.parseDateTime,
    write: (date: values.RouterDateTime) => values.formatDateTime(date, "month-name"),
  },
  { read: parseVersion },
  { read: values.isId },
];

/** Held: each text is read or refused, and what was read, written and read again is the same. */
export const value: Target = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  check(bytes) {
    const text = bytes.toString();
    const read = FORMS.filter(({ read, write }) => isReadAlike(text, read, write));
    return read.length > 0 ? "value read" : "value refused";
  },
};

function isReadAlike(
  text: string,
  read: (text: string) => unknown,
  write: (value: never) => string | undefined = () => undefined,
): boolean {
  try {
    const value = read(text);
    const written = write(value as never);
    if (written !== undefined && !isDeepStrictEqual(read(written), value)) {
      throw new Error(`${JSON.stringify(text)} is written ${JSON.stringify(written)}, which reads otherwise`);
    }
    return value !== false;
  } catch (error) {
    if (error instanceof InvalidValueError) return false;
    throw error;
  }
}

/** When a certificate ends, as its router tells. Pure. */
import { parseDateTime, parseDurationMs, type Row } from "@portreeve/routeros";

const RENEW_BEFORE_MS = 30 * 86_400_000;
/** A router that makes certificates which end at once must not be asked for one after the other. */
const RENEW_AFTER_MS = 60 * 60_000;

/** It ends within thirty days and is not new: all by the router's own clock. */
export function isDue(row: Row): boolean {
  const from = timeOf(row["invalid-before"]);
  const to = timeOf(row["invalid-after"]);
  const left = row.expired === "true" ? 0 : attempt(() => parseDurationMs(row["expires-after"] ?? ""));
  if (from === undefined || to === undefined || left === undefined) return false;
  const age = to - from - left;
  return left < RENEW_BEFORE_MS && age > RENEW_AFTER_MS;
}

/** It ends within thirty days, by our clock. */
export function isEnding(end: Date, now: Date): boolean {
  return end.getTime() - now.getTime() < RENEW_BEFORE_MS;
}

/**
 * Milliseconds since 1970; undefined where the text is no time.
 * RouterOS writes it in its own time zone and does not name it: taken as UTC.
 */
export function timeOf(text: string | undefined): number | undefined {
  return attempt(() => {
    const { year, month, day, hour, minute, second } = parseDateTime(text ?? "");
    return Date.UTC(year, month - 1, day, hour, minute, second);
  });
}

/** Router output is hostile: what does not read as it should is as good as missing. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

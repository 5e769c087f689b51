/** Times as the API writes them and as people read them. Moments are milliseconds since 1970. */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * @param {unknown} text the control-plane API's form, UTC: `08 Nov 2023 20:58:36`
 * @returns {number | undefined} the moment, or undefined for anything else
 */
export function parseDocumentTime(text) {
  const parts = /^(\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2})$/.exec(String(text));
  const month = MONTHS.indexOf(parts?.[2] ?? "");
  if (!parts || month < 0) return undefined;
  const [, day, , year, hours, minutes, seconds] = parts.map(Number);
  return Date.UTC(year, month, day, hours, minutes, seconds);
}

/** @returns {string} `1 h 05 min`, `12 min 08 s`, `45 s`, or `ended` */
export function timeLeft(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 0) return "ended";
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${two(rest)} s` : `${rest} s`;
}

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** @returns {string} `just now`, `40 s ago`, `3 d ago` */
export function timeAgo(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 5) return "just now";
  const [size, unit] = UNITS.find(([length]) => seconds >= length);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

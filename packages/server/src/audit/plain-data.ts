/** What an audit event's detail may hold. */
export type PlainData =
  | string
  | number
  | boolean
  | null
  | readonly PlainData[]
  | { readonly [key: string]: PlainData | undefined };

/** Deeper is no detail but a mistake (a cycle, a whole row). */
const MAX_DEPTH = 8;

/**
 * Details stay for ever and are read by many: only plain data gets in. A Secret, a Date, a Buffer or any other object
 * of a class is refused, also where it would have become harmless text: the caller thought it was data.
 * @throws TypeError naming the path and never the value
 */
export function assertPlain(value: unknown, path: string, depth = 0): asserts value is PlainData | undefined {
  if (depth > MAX_DEPTH) throw new TypeError(`audit ${path} is nested deeper than ${MAX_DEPTH}`);
  if (value === null || value === undefined) return;
  if (typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertPlain(item, `${path}.${index}`, depth + 1);
    return;
  }
  if (isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) assertPlain(item, `${path}.${key}`, depth + 1);
    return;
  }
  throw new TypeError(`audit ${path} must be plain data, not a ${describe(value)}`);
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : typeof value;
}

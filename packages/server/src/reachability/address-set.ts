/**
 * Sets of addresses of one family as sorted ranges that neither touch nor overlap. Pure arithmetic: a set of any
 * size costs as much as the ranges it is written in.
 */
import ipaddr from "ipaddr.js";

export type Family = "ipv4" | "ipv6";

/** Both ends belong to it. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

export type AddressSet = readonly AddressRange[];

const BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

export const NOBODY: AddressSet = [];

export function everybody(family: Family): AddressSet {
  return [{ first: 0n, last: (1n << BigInt(BITS[family])) - 1n }];
}

export function familyOf(address: string): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/**
 * What RouterOS lets stand for addresses: `192.0.2.1`, `192.0.2.0/24` or `192.0.2.1-192.0.2.9`, IPv6 alike.
 * @returns undefined for anything else, such as a DNS name; nobody for addresses of the other family
 */
export function parseAddresses(text: string, family: Family): AddressSet | undefined {
  const [from = "", to, ...rest] = text.split("-");
  if (rest.length > 0) return undefined;
  const first = parsePrefix(from);
  const last = to === undefined ? first : parsePrefix(to);
  if (!first || !last || first.family !== last.family || first.range.first > last.range.last)
    return undefined;
  return first.family === family ? [{ first: first.range.first, last: last.range.last }] : NOBODY;
}

function parsePrefix(text: string): { family: Family; range: AddressRange } | undefined {
  const [host = "", length, ...rest] = text.split("/");
  if (rest.length > 0 || !isAddress(host)) return undefined;
  const address = ipaddr.parse(host);
  const family = address.kind();
  const bits = length === undefined ? BITS[family] : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (bits < 0 || bits > BITS[family]) return undefined;
  const value = address.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const size = 1n << BigInt(BITS[family] - bits);
  const first = value - (value % size);
  return { family, range: { first, last: first + size - 1n } };
}

function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes("%"));
}

export function unite(...sets: readonly AddressSet[]): AddressSet {
  // The shortest first: each is gone through as often as there are longer ones.
  const filled = sets.filter((set) => set.length > 0).sort((a, b) => a.length - b.length);
  return filled.reduce((united, set) => (united.length === 0 ? set : merge(united, set)), NOBODY);
}

function merge(left: AddressSet, right: AddressSet): AddressSet {
  const merged: AddressRange[] = [];
  for (let i = 0, j = 0; i < left.length || j < right.length; ) {
    const [a, b] = [left[i], right[j]];
    const isLeft = a !== undefined && (b === undefined || a.first <= b.first);
    append(merged, (isLeft ? a : b) as AddressRange);
    if (isLeft) i += 1;
    else j += 1;
  }
  return merged;
}

/** Ranges in any order, touching and overlapping as they like, as a set. */
export function toSet(ranges: readonly AddressRange[]): AddressSet {
  const set: AddressRange[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) append(set, range);
  return set;
}

/** @param range begins where the last one does, or behind that */
function append(set: AddressRange[], range: AddressRange): void {
  const before = set.at(-1);
  if (!before || range.first > before.last + 1n) set.push(range);
  else if (range.last > before.last) set[set.length - 1] = { first: before.first, last: range.last };
}

export function intersect(left: AddressSet, right: AddressSet): AddressSet {
  if (left === right) return left;
  const [few, many] = left.length <= right.length ? [left, right] : [right, left];
  const common: AddressRange[] = [];
  for (const range of few) {
    for (let i = firstReaching(many, range.first); i < many.length; i += 1) {
      const other = many[i] as AddressRange;
      if (other.first > range.last) break;
      const first = range.first > other.first ? range.first : other.first;
      common.push({ first, last: range.last < other.last ? range.last : other.last });
    }
  }
  return common;
}

/** Who is in `left` and not in `right`. */
export function subtract(left: AddressSet, right: AddressSet): AddressSet {
  const [low, high] = [right[0], right.at(-1)];
  if (left === right || !low || !high) return left === right ? NOBODY : left;
  const from = firstReaching(left, low.first);
  const rest = left.slice(0, from);
  let i = from;
  for (let range = left[i]; range && range.first <= high.last; range = left[++i]) {
    let { first } = range;
    for (let j = firstReaching(right, first); j < right.length; j += 1) {
      const cut = right[j] as AddressRange;
      if (cut.first > range.last) break;
      if (cut.first > first) rest.push({ first, last: cut.first - 1n });
      first = cut.last + 1n;
    }
    if (first <= range.last) rest.push({ first, last: range.last });
  }
  return rest.concat(left.slice(i));
}

/** Index of the first range that does not end before the address: a long list costs a short question little. */
function firstReaching(set: AddressSet, address: bigint): number {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((set[middle] as AddressRange).last < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const isEmpty = (set: AddressSet): boolean => set.length === 0;

/** @param limit at most this many; the others are counted in the last text, as "and 7 more" */
export function formatAddresses(set: AddressSet, family: Family, limit: number): string[] {
  const shown = set.slice(0, limit).map((range) => formatRange(range, family));
  return set.length > limit ? [...shown, `and ${set.length - limit} more`] : shown;
}

/** As a prefix where it is one (a single address without its length), else with both ends. */
function formatRange({ first, last }: AddressRange, family: Family): string {
  const size = last - first + 1n;
  const bits = size.toString(2).length - 1;
  if (size === 1n) return formatAddress(first, family);
  const isPrefix = size === 1n << BigInt(bits) && first % size === 0n;
  if (isPrefix) return `${formatAddress(first, family)}/${BITS[family] - bits}`;
  return `${formatAddress(first, family)}-${formatAddress(last, family)}`;
}

function formatAddress(value: bigint, family: Family): string {
  const bytes = BITS[family] / 8;
  const hex = value.toString(16).padStart(bytes * 2, "0");
  return ipaddr.fromByteArray([...Buffer.from(hex, "hex")]).toString();
}

import ipaddr from "ipaddr.js";
import type { Router } from "../router.ts";
import type { Item } from "../table.ts";
import { formatSeconds, readSeconds } from "../values.ts";
import { contains } from "./match.ts";

export type ListFamily = "ipv4" | "ipv6";

const PATHS = { ipv4: "/ip/firewall/address-list", ipv6: "/ipv6/firewall/address-list" } as const;

/** When a dynamic entry goes; not a property of the row. */
const deadlines = new WeakMap<Item, { atMs: number; forget: () => void }>();

/** What is left of an entry's time, in RouterOS's spelling; undefined for one that stays. */
export function timeLeft(router: Router, item: Item): string | undefined {
  const deadline = deadlines.get(item);
  return deadline && formatSeconds(Math.ceil((deadline.atMs - router.clock.running()) / 1000));
}

/** Start an entry's time, or start it again. */
export function startTimeout(router: Router, path: string, item: Item, seconds: number): void {
  deadlines.get(item)?.forget();
  const atMs = router.clock.running() + seconds * 1000;
  const forget = router.clock.alarm(seconds * 1000, () => {
    const table = router.table(path);
    if (table.byId(item.id) === item) table.remove(item);
  });
  deadlines.set(item, { atMs, forget });
}

/**
 * The address lists of one family as the firewall reads and fills them. What a rule asks for is kept in order from the
 * first question on: lists have thousands of entries, and every change of one has all open connections looked at again.
 */
export class AddressLists {
  readonly #router: Router;
  readonly #path: string;
  #lists: Map<string, ListedAddresses> | undefined;
  /** Which list an entry is on, as it was when it was last looked at. */
  readonly #listOf = new Map<Item, ListedAddresses>();

  constructor(router: Router, family: ListFamily) {
    this.#router = router;
    this.#path = PATHS[family];
  }

  has(list: string, address: string): boolean {
    return this.#asked().get(list)?.holds(address) ?? false;
  }

  /**
   * `add-src-to-address-list`: a new entry, or new time for one the firewall made before.
   * @param timeout "1d", `none-dynamic` (until the next reboot, the default) or `none-static` (kept)
   */
  put(list: string, address: string, timeout = "none-dynamic"): void {
    const table = this.#router.table(this.#path);
    const seconds = readSeconds(timeout);
    const found = table.other(["list", "address"], { list, address });
    const usable = found && found.values.disabled !== "true" ? found : undefined;
    const values = { list, address, disabled: "false" };
    const item = usable ?? table.add(values, { dynamic: timeout !== "none-static" });
    if (seconds && item.dynamic) startTimeout(this.#router, this.#path, item, seconds);
    if (!item.dynamic) this.#router.commit();
  }

  #asked(): ReadonlyMap<string, ListedAddresses> {
    if (this.#lists) return this.#lists;
    this.#lists = new Map();
    const table = this.#router.table(this.#path);
    table.onChange(({ kind, item }) => {
      this.#take(item);
      if (kind === "changed") this.#put(item);
    });
    for (const item of table.items) this.#put(item);
    return this.#lists;
  }

  #put(item: Item): void {
    const { list = "", address = "", disabled } = item.values;
    if (disabled === "true") return;
    const addresses = this.#lists?.get(list) ?? new ListedAddresses();
    this.#lists?.set(list, addresses);
    this.#listOf.set(item, addresses);
    addresses.put(item, address);
  }

  #take(item: Item): void {
    this.#listOf.get(item)?.take(item);
    this.#listOf.delete(item);
  }
}

/** The entries of one list: single addresses are looked up, prefixes and ranges are tried one by one. */
class ListedAddresses {
  readonly #single = new Map<string, number>();
  readonly #others = new Map<Item, string>();
  readonly #keys = new Map<Item, string>();

  put(item: Item, address: string): void {
    const key = singleAddress(address);
    if (key === undefined) {
      this.#others.set(item, address);
      return;
    }
    this.#keys.set(item, key);
    this.#single.set(key, (this.#single.get(key) ?? 0) + 1);
  }

  take(item: Item): void {
    this.#others.delete(item);
    const key = this.#keys.get(item);
    if (key === undefined) return;
    this.#keys.delete(item);
    const left = (this.#single.get(key) ?? 0) - 1;
    if (left > 0) this.#single.set(key, left);
    else this.#single.delete(key);
  }

  holds(address: string): boolean {
    const key = singleAddress(address);
    if (key !== undefined && this.#single.has(key)) return true;
    return [...this.#others.values()].some((other) => contains(other, address));
  }
}

/** One spelling of a host's address; undefined for a prefix, a range or a name. */
function singleAddress(text: string): string | undefined {
  const host = text.replace(/\/(128|32)$/, "");
  if ((text.endsWith("/32") && text.includes(":")) || !/[.:].*[.:]/.test(host) || !ipaddr.isValid(host))
    return undefined;
  return ipaddr.process(host).toString();
}

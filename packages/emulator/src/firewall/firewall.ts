import type { Router } from "../router.ts";
import type { Item } from "../table.ts";
import { AddressLists, type ListFamily } from "./address-lists.ts";
import { matches } from "./match.ts";
import { PACKET_BYTES, type Packet, type Verdict } from "./packet.ts";

const FAMILIES = { ipv4: "/ip/firewall", ipv6: "/ipv6/firewall" } as const;

/** The tables whose rows decide who connects. */
export const FIREWALL_MENUS: readonly string[] = Object.values(FAMILIES).flatMap((path) => [
  `${path}/filter`,
  `${path}/address-list`,
]);

/** RouterOS refuses chains that jump in a circle; here a jump this deep is not followed. */
const MAX_JUMPS = 32;

const TERMINAL: Readonly<Record<string, Verdict>> = {
  accept: "accept",
  drop: "drop",
  reject: "reject",
  tarpit: "tarpit",
};

interface Counters {
  packets: number;
  bytes: number;
}

/** One walk through the chains for one packet. `quiet` leaves no trace: no counters, lists or log lines. */
interface Walk {
  readonly family: ListFamily;
  readonly rules: readonly Item[];
  readonly packet: Packet;
  readonly quiet: boolean;
}

/**
 * The `input` chain of `/ip/firewall/filter` and `/ipv6/firewall/filter`, asked for every connection to a service.
 * Rules are tried from the top, the first terminating action ends it, and what no rule stopped is accepted.
 * Source: MikroTik manual, "Filter" and "Address lists".
 */
export class Firewall {
  readonly #router: Router;
  /** Made for the first rule that is tried: most routers of a fleet have none. */
  #lists: Partial<Record<ListFamily, AddressLists>> | undefined;
  readonly #counters = new WeakMap<Item, Counters>();

  constructor(router: Router) {
    this.#router = router;
  }

  /** Decide on a packet, count it, and do what rules on its way say. */
  decide(packet: Packet): Verdict {
    return this.#decide(packet, false);
  }

  /** What would be decided; leaves no trace. */
  wouldDecide(packet: Packet): Verdict {
    return this.#decide(packet, true);
  }

  counters(rule: Item): Readonly<Counters> {
    return this.#counters.get(rule) ?? { packets: 0, bytes: 0 };
  }

  resetCounters(rules: readonly Item[]): void {
    for (const rule of rules) this.#counters.delete(rule);
  }

  #decide(packet: Packet, quiet: boolean): Verdict {
    const family = packet.srcAddress.includes(":") ? "ipv6" : "ipv4";
    const menu = `${FAMILIES[family]}/filter`;
    // A router without the IPv6 package has no rules for it.
    const rules = this.#router.menus.has(menu) ? this.#router.table(menu).items : [];
    if (rules.length === 0) return "accept";
    return this.#walk({ family, rules, packet, quiet }, "input", 0) ?? "accept";
  }

  /** @returns undefined when the chain was left without a decision */
  #walk(walk: Walk, chain: string, jumps: number): Verdict | undefined {
    const lists = this.#listsOf(walk.family);
    for (const rule of walk.rules) {
      const { values } = rule;
      if (values.chain !== chain || values.disabled === "true") continue;
      if (!matches(values, walk.packet, (list, address) => lists.has(list, address))) continue;
      if (!walk.quiet) this.#leaveTrace(rule, walk);
      const { action = "accept" } = values;
      if (action === "return") return undefined;
      if (action === "jump" && jumps < MAX_JUMPS) {
        const verdict = this.#walk(walk, values["jump-target"] ?? "", jumps + 1);
        if (verdict) return verdict;
      }
      const verdict = TERMINAL[action];
      if (verdict) return verdict;
    }
    return undefined;
  }

  #listsOf(family: ListFamily): AddressLists {
    this.#lists ??= {};
    this.#lists[family] ??= new AddressLists(this.#router, family);
    return this.#lists[family];
  }

  #leaveTrace(rule: Item, { packet, family }: Walk): void {
    const { packets, bytes } = this.counters(rule);
    this.#counters.set(rule, { packets: packets + 1, bytes: bytes + PACKET_BYTES });
    const { action, log } = rule.values;
    if (action === "log" || log === "true") this.#log(rule, packet);
    const list = rule.values["address-list"] ?? "";
    const timeout = rule.values["address-list-timeout"];
    const lists = this.#listsOf(family);
    if (action === "add-src-to-address-list") lists.put(list, packet.srcAddress, timeout);
    if (action === "add-dst-to-address-list") lists.put(list, packet.dstAddress, timeout);
  }

  /** The form of RouterOS's line, without the parts that name interfaces and hardware addresses. */
  #log({ values }: Item, { state, srcAddress, srcPort, dstAddress, dstPort }: Packet): void {
    const prefix = values["log-prefix"] ? `${values["log-prefix"]} ` : "";
    const flags = state === "new" ? "SYN" : "ACK";
    const ends = `${srcAddress}:${srcPort}->${dstAddress}:${dstPort}`;
    this.#router.log(
      "firewall,info",
      `${prefix}${values.chain}: in:(unknown 0) out:(unknown 0), connection-state:${state} ` +
        `proto TCP (${flags}), ${ends}, len ${PACKET_BYTES}`,
    );
  }
}

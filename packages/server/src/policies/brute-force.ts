/**
 * Filter rules that ban who keeps opening connections to a service that is open beyond the trusted networks. Pure.
 *
 * The stages stand in reverse, as in MikroTik's manual ("SSH brute-force protection"): `add-src-to-address-list` does
 * not stop the packet, so in any other order one connection climbs every stage at once. A source that opens four
 * connections, each within the time its stage has left, is banned at the fourth.
 *
 * Differences from the manual's example, and why:
 * - Trusted sources never enter the counting chain, so no manager that reconnects bans itself.
 * - A banned source is dropped before it is counted again: its ban is not renewed, and ends after a day.
 * - Only new connections are checked: an open session continues.
 * Connections are counted and not failed logins, which a packet filter can't see.
 */

/** The counting rules have a chain of their own, so that protocol, ports and trusted sources are said once. */
const COUNTING_CHAIN = "portreeve-brute-force";
const BLACKLIST = "portreeve-blacklist";
const BAN = "1d";

/** Lists a source climbs through, first to last, and how long it stays on each. Times: MikroTik's manual. */
const STAGES = [
  { list: "portreeve-connection1", timeout: "5m" },
  { list: "portreeve-connection2", timeout: "15m" },
  { list: "portreeve-connection3", timeout: "1h" },
];

/** What a comment of ours begins with here; the rest of it names the rule. */
export const BRUTE_FORCE_MARK = "portreeve: brute force - ";

/** One rule, by RouterOS's names; every rule has `chain`, `action` and a `comment` of its own. */
export type FilterRule = Readonly<Record<string, string>>;

export interface BruteForceOptions {
  /** The chain that management connections go through. */
  readonly chain: string;
  /** TCP ports of the enabled services that are open beyond the trusted networks. */
  readonly ports: readonly number[];
  /** Address list with the management address and the trusted networks. */
  readonly trustedList: string;
}

/**
 * The rules, in order, to stand in `chain` before whatever accepts connections to these ports. The same for
 * `/ip/firewall/filter` and `/ipv6/firewall/filter`, whose address lists are apart. None without ports.
 */
export function bruteForceRules({ chain, ports, trustedList }: BruteForceOptions): FilterRule[] {
  if (ports.length === 0) return [];
  const drop = { action: "drop", "src-address-list": BLACKLIST };
  return [
    {
      chain,
      action: "jump",
      "jump-target": COUNTING_CHAIN,
      protocol: "tcp",
      "dst-port": [...new Set(ports)].sort((a, b) => a - b).join(","),
      "connection-state": "new",
      "src-address-list": `!${trustedList}`,
      comment: `${BRUTE_FORCE_MARK}count connections that are not from trusted networks`,
    },
    counting({ ...drop, comment: `${BRUTE_FORCE_MARK}banned` }),
    ...climbing(),
    counting({ ...drop, comment: `${BRUTE_FORCE_MARK}banned just now` }),
  ];
}

/** Each stage moves a source to the next one, the last to the blacklist; last stage first. */
function climbing(): FilterRule[] {
  const targets = [...STAGES, { list: BLACKLIST, timeout: BAN }];
  return targets
    .map(({ list, timeout }, index) =>
      counting({
        action: "add-src-to-address-list",
        ...(index === 0 ? {} : { "src-address-list": STAGES[index - 1]?.list as string }),
        "address-list": list,
        "address-list-timeout": timeout,
        comment: `${BRUTE_FORCE_MARK}connection ${index + 1}`,
      }),
    )
    .toReversed();
}

function counting(rule: FilterRule): FilterRule {
  return { chain: COUNTING_CHAIN, ...rule };
}

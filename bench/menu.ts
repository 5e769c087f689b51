/** The menu that is read: 10,000 rules of `/ip/firewall/filter`, 16 attributes each, as RouterOS prints them. */

export const MENU = "/ip/firewall/filter";
export const ROWS = 10_000;
export const ATTRIBUTES = 16;

/** A menu of one short row, for commands that carry next to nothing. */
export const SMALL_MENU = "/system/identity";

/** What an administrator gave rule `index`. Every tenth comment is not ASCII when `accents` are wanted. */
export function givenAttributes(index: number, accents: boolean): Record<string, string> {
  const comment =
    accents && index % 10 === 0 ? `Büro ${index} für Gäste` : `customer ${index}, ticket ${4 * index}`;
  return {
    chain: index % 3 === 0 ? "input" : "forward",
    action: index % 4 === 0 ? "drop" : "accept",
    protocol: index % 2 === 0 ? "tcp" : "udp",
    "src-address": `10.${index >> 8}.${index & 0xff}.0/24`,
    "dst-address": `192.168.${index % 250}.10`,
    "dst-port": String(1024 + index),
    "in-interface": `ether${1 + (index % 12)}`,
    log: "false",
    "log-prefix": "",
    disabled: index % 50 === 0 ? "true" : "false",
    comment,
  };
}

/** The whole row. */
export function row(index: number, accents: boolean): Record<string, string> {
  const {
    log = "",
    "log-prefix": prefix = "",
    disabled = "",
    comment = "",
    ...matchers
  } = givenAttributes(index, accents);
  const counters = { bytes: String(73_211 * index), packets: String(97 * index) };
  const flags = { invalid: "false", dynamic: "false", disabled };
  const id = `*${(index + 1).toString(16).toUpperCase()}`;
  return { ".id": id, ...matchers, log, "log-prefix": prefix, ...counters, ...flags, comment };
}

import type { MenuHost, OwnCommand } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import { readMs, sleep } from "./clock.ts";

/** The interface connections to the router are counted on. */
const OUTSIDE = "ether1";

const SECOND_MS = 1000;

/** Bytes in a full packet of TCP on Ethernet: 1500 less the headers of IP and TCP. Packets are estimated by it. */
const SEGMENT_BYTES = 1460;

const packets = (bytes: number) => Math.ceil(bytes / SEGMENT_BYTES);

interface Totals {
  readonly rx: number;
  readonly tx: number;
}

const NONE: Totals = { rx: 0, tx: 0 };

/** Bytes of every open connection so far, by its id. */
function totals(router: MenuHost): ReadonlyMap<string, Totals> {
  const open = router.connections.all;
  return new Map(open.map(({ id, socket }) => [id, { rx: socket.bytesRead, tx: socket.bytesWritten }]));
}

function since(before: ReadonlyMap<string, Totals>, now: ReadonlyMap<string, Totals>, id: string): Totals {
  const { rx, tx } = now.get(id) ?? NONE;
  const old = before.get(id) ?? NONE;
  return { rx: rx - old.rx, tx: tx - old.tx };
}

function mustExist(router: MenuHost, name: string): void {
  const known = router.items(router.menu("/interface")).some(({ values }) => values.name === name);
  if (!known) throw refusals.noMatch("interface");
}

function readTime(given: Readonly<Record<string, string>>, name: string, otherwise: number): number {
  const value = given[name];
  const ms = value === undefined ? otherwise : readMs(value);
  if (ms === undefined) throw refusals.invalidValue(name);
  return ms;
}

const isOn = (value: string | undefined) => value !== undefined && value !== "false" && value !== "no";

const perSecond = (amount: number, ms: number) => String(Math.round((amount * 1000) / ms));

/** A row for each interface every `interval`, until `duration` or a `/cancel`; one of each with `once`. */
export const monitorTraffic: OwnCommand = {
  arguments: ["interface", "once", "interval", "duration", "as-value", "without-paging", "proplist"],
  unnamed: ["interface"],
  flags: ["once"],
  policy: ["read"],
  slow: true,
  async run(router, given, _items, { row, signal }) {
    const names = given.interface?.split(",");
    if (!names) throw refusals.missing("interface");
    for (const name of names) mustExist(router, name);
    const intervalMs = readTime(given, "interval", SECOND_MS);
    const durationMs = isOn(given.once) ? 0 : readTime(given, "duration", Number.POSITIVE_INFINITY);
    let before = totals(router);
    for (let section = 0; section * intervalMs <= durationMs; section++) {
      if (section > 0 && !(await sleep(router, intervalMs, signal))) break;
      const now = totals(router);
      const moved = [...now.keys()].map((id) => since(before, now, id));
      for (const name of names) {
        const mine = name === OUTSIDE ? moved : [];
        const sum = (of: (bytes: Totals) => number) => mine.reduce((all, bytes) => all + of(bytes), 0);
        row({
          name,
          "rx-packets-per-second": perSecond(
            sum(({ rx }) => packets(rx)),
            intervalMs,
          ),
          "rx-drops-per-second": "0",
          "rx-errors-per-second": "0",
          "rx-bits-per-second": perSecond(
            sum(({ rx }) => 8 * rx),
            intervalMs,
          ),
          "tx-packets-per-second": perSecond(
            sum(({ tx }) => packets(tx)),
            intervalMs,
          ),
          "tx-drops-per-second": "0",
          "tx-errors-per-second": "0",
          "tx-bits-per-second": perSecond(
            sum(({ tx }) => 8 * tx),
            intervalMs,
          ),
          ".section": String(section),
        });
      }
      before = now;
    }
    return undefined;
  },
};

/** Filters of torch, with the values that leave everything in. */
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  "src-address": ["0.0.0.0/0"],
  "dst-address": ["0.0.0.0/0"],
  "src-address6": ["::/0"],
  "dst-address6": ["::/0"],
  "ip-protocol": ["any"],
  "mac-protocol": ["any"],
  port: ["any"],
  "vlan-id": ["any"],
  dscp: ["any"],
  cpu: ["any"],
};

/**
 * A section each second: every connection to the router, with the bits it moved. As seen on a real one, `duration=1`
 * ends before the first section. Torch on another interface than the outside one sees nothing.
 */
export const torch: OwnCommand = {
  arguments: ["interface", "duration", "as-value", "without-paging", "proplist", ...Object.keys(FILTERS)],
  unnamed: ["interface"],
  policy: ["sniff"],
  slow: true,
  async run(router, given, _items, { row, signal }) {
    const { interface: name } = given;
    if (name === undefined) throw refusals.missing("interface");
    mustExist(router, name);
    const filter = Object.entries(FILTERS).find(
      ([arg, all]) => given[arg] !== undefined && !all.includes(given[arg]),
    );
    if (filter) throw refusals.notEmulated(`torch ${filter[0]}`);
    const durationMs = readTime(given, "duration", Number.POSITIVE_INFINITY);
    let before = totals(router);
    for (let section = 0; (section + 1) * SECOND_MS < durationMs; section++) {
      if (!(await sleep(router, SECOND_MS, signal))) return undefined;
      const now = totals(router);
      for (const connection of name === OUTSIDE ? router.connections.all : []) {
        const { rx, tx } = since(before, now, connection.id);
        row({
          "src-address": connection.remoteAddress,
          "dst-address": connection.localAddress,
          "ip-protocol": "tcp",
          "src-port": String(connection.remotePort),
          "dst-port": String(connection.localPort),
          tx: String(8 * tx),
          rx: String(8 * rx),
          "tx-packets": String(packets(tx)),
          "rx-packets": String(packets(rx)),
          ".section": String(section),
        });
      }
      before = now;
    }
    await sleep(router, Math.min(SECOND_MS, durationMs), signal);
    return undefined;
  },
};

import { isIP } from "node:net";
import type { MenuHost, OwnCommand } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import { readMs, sleep } from "./clock.ts";

const DEFAULT = { intervalMs: 1000, size: "56", ttl: "64" };

/** "10ms..5s", schema dumps. */
const INTERVAL_MS = { low: 10, high: 5000 };

/** What an answered ping shows: nothing is measured in a process. */
const ROUND_TRIP = "500us";

/** Arguments RouterOS has and the emulator hasn't. */
const REFUSED = ["arp-ping", "do-not-fragment", "dscp", "interface", "src-address", "vrf"];

/** The router itself answers, and whoever the control handle named. */
function answers(router: MenuHost, host: string): boolean {
  const own = router.menus.has("/ip/address") ? router.table("/ip/address").items : [];
  const addresses = own.flatMap(({ values }) =>
    values.disabled === "true" ? [] : [values.address?.split("/")[0]],
  );
  return router.reachable.has(host) || /^127\.|^::1$/.test(host) || addresses.includes(host);
}

function readInterval(value: string | undefined): number {
  if (value === undefined) return DEFAULT.intervalMs;
  const ms = readMs(value);
  if (ms === undefined || ms < INTERVAL_MS.low || ms > INTERVAL_MS.high)
    throw refusals.invalidValue("interval");
  return ms;
}

function readCount(value: string | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (!/^\d{1,10}$/.test(value)) throw refusals.invalidValue("count");
  return Number(value);
}

/** A row for each packet until `count` of them or a `/cancel`; one that got no answer has `status` and no time. */
export const ping: OwnCommand = {
  arguments: [
    "address",
    "count",
    "interval",
    "size",
    "ttl",
    "as-value",
    "without-paging",
    "proplist",
    ...REFUSED,
  ],
  unnamed: ["address"],
  policy: ["test"],
  slow: true,
  async run(router, given, _items, { row, signal }) {
    const { address, size = DEFAULT.size, ttl = DEFAULT.ttl } = given;
    if (address === undefined) throw refusals.missing("address");
    const refused = REFUSED.find((name) => given[name] !== undefined);
    if (refused !== undefined) throw refusals.notEmulated(`ping ${refused}`);
    if (isIP(address) === 0) throw refusals.notEmulated("ping by name");
    const count = readCount(given.count);
    const intervalMs = readInterval(given.interval);
    let received = 0;
    for (let seq = 0; seq < count; seq++) {
      if (seq > 0 && !(await sleep(router, intervalMs, signal))) return undefined;
      const answered = answers(router, address);
      if (answered) received += 1;
      const loss = Math.round((100 * (seq + 1 - received)) / (seq + 1));
      row({
        seq: String(seq),
        host: address,
        ...(answered ? { size, ttl, time: ROUND_TRIP } : { status: "timeout" }),
        sent: String(seq + 1),
        received: String(received),
        "packet-loss": String(loss),
        ...(received > 0 ? { "min-rtt": ROUND_TRIP, "avg-rtt": ROUND_TRIP, "max-rtt": ROUND_TRIP } : {}),
        ".section": String(seq),
      });
    }
    return undefined;
  },
};

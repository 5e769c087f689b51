/**
 * From a name to its addresses without holding a thread. `dns.lookup` asks the system's own resolver in one of four
 * threads that the whole process shares, two of them for names: a name server that does not answer would keep every
 * other name waiting. So the name server is asked over our own sockets first, and the system only about names that it
 * has answered not to know: those of /etc/hosts, of a search domain, of mDNS.
 */
import { promises as dns, lookup } from "node:dns";
import { promisify } from "node:util";

/** One try, of two; the second waits longer. Milliseconds. */
const TIMEOUT_MS = 2_000;
/** Answers after which the system is asked; anything else (a time-out above all) is the answer. */
const NOT_THERE = new Set(["ENOTFOUND", "ENODATA", "ECONNREFUSED", "EBADNAME"]);

export type Resolver = (name: string) => Promise<readonly { address: string }[]>;

/** @param servers `address:port` each; those of the system unless given */
export function nameResolver(servers?: readonly string[]): Resolver {
  return async (name) => {
    // Made for each name, because the system's servers change with its network.
    const resolver = new dns.Resolver({ timeout: TIMEOUT_MS, tries: 2 });
    if (servers) resolver.setServers(servers);
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    if (found.length > 0) return found.map((address) => ({ address }));
    const failure = answers.find(
      (answer) =>
        answer.status === "rejected" && !NOT_THERE.has((answer.reason as { code?: string }).code ?? ""),
    );
    if (failure?.status === "rejected") throw failure.reason;
    return promisify(lookup)(name, { all: true, order: "verbatim" });
  };
}

/** Many emulated routers and their sites. */
import { randomInt } from "node:crypto";
import type { Policy, Site } from "@portreeve/api-schema";
import { type Emulator, startFleet } from "@portreeve/emulator";
import type { Row } from "@portreeve/routeros";
import { waitFor } from "@portreeve/testing";
import { type ApiClient, expectStatus } from "./api.ts";
import { type PolicyChange, policyOf } from "./policies.ts";
import { ADMIN, siteOf } from "./routers.ts";

interface FleetServer {
  readonly api: ApiClient;
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

export interface Member {
  readonly router: Emulator;
  readonly siteId: string;
}

/** Requests under way at a time. */
const AT_ONCE = 20;
/** Adoption of one router on a busy machine, milliseconds. */
const ADOPTION_MS = 250;
/** A fleet has them all, a quarter of its routers each. */
const VERSIONS = ["6.49", "7.9", "7.18", "7.24"];

/**
 * Routers that Portreeve manages, all under the default policy of a customer that has no others. Only their API
 * listens: services are rows here.
 */
export class ManagedFleet implements AsyncDisposable {
  /** In the order in which rollouts take them: that of their sites' ids. */
  readonly members: readonly Member[];
  readonly policyPath: string;
  readonly #server: FleetServer;
  readonly #close: () => Promise<void>;

  private constructor(
    server: FleetServer,
    policyPath: string,
    members: Member[],
    close: () => Promise<void>,
  ) {
    this.#server = server;
    this.policyPath = policyPath;
    this.members = members;
    this.#close = close;
  }

  static async start(server: FleetServer, count: number): Promise<ManagedFleet> {
    const policies: Policy[] = expectStatus(await server.api.get("/v1/control-plane/policies"), 200);
    const policyPath = `/v1/control-plane/policies/${policies.find((one) => one.default)?.id}`;
    expectStatus(await server.api.put(policyPath, policyOf()), 200);
    await using starting = new AsyncDisposableStack();
    const network = `127.${randomInt(64, 250)}`;
    const routers: Emulator[] = [];
    for (const [i, version] of VERSIONS.entries()) {
      const share = Math.floor((count + i) / VERSIONS.length);
      const firstAddress = `${network}.${10 * (i + 1)}.1`;
      const fleet = await startFleet({ count: share, firstAddress, version, ...ADMIN });
      starting.defer(() => fleet.close());
      routers.push(...fleet.routers);
    }
    const members = await addSites(server.api, routers);
    const fleets = starting.move();
    const self = new ManagedFleet(server, policyPath, members, () => fleets.disposeAsync());
    await using adopting = new AsyncDisposableStack();
    adopting.use(self);
    await waitFor(() => self.isInSync(), { within: 10_000 + count * ADOPTION_MS, what: "the adoption" });
    adopting.move();
    return self;
  }

  /** Change the policy; the answer. */
  async change(change: PolicyChange): Promise<Policy> {
    return expectStatus(await this.#server.api.put(this.policyPath, policyOf(change)), 200);
  }

  async isInSync(): Promise<boolean> {
    const rows = await this.#server.sql("select sync_state from site_sync");
    return rows.length === this.members.length && rows.every((row) => row.sync_state === "in_sync");
  }

  /** What each router has now of everything a policy touches. */
  configurations(): string[] {
    return this.members.map(({ router }) => configurationOf(router));
  }

  /** Routers that are other than they were, by their place in the fleet. */
  changedSince(before: readonly string[]): number[] {
    return this.configurations().flatMap((now, index) => (now === before[index] ? [] : [index]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Rules in their order, the other rows in any; without the connections that are open. */
function configurationOf({ control }: Emulator): string {
  const rows = (path: string) =>
    control
      .rows(path)
      .filter(({ dynamic }) => dynamic !== "true")
      .map((row) => JSON.stringify(configuredOf(row)));
  const lists = ["/ip/service", "/ip/firewall/address-list", "/ipv6/firewall/address-list"];
  const unordered = lists.flatMap(rows).sort();
  return [...unordered, ...rows("/ip/firewall/filter"), ...rows("/ipv6/firewall/filter")].join("\n");
}

/** A row without what no administrator sets: a rule that was removed and added again is the same one. */
function configuredOf(row: Row): Row {
  const { ".id": _id, bytes: _bytes, packets: _packets, "creation-time": _time, ...configured } = row;
  return configured;
}

async function addSites(api: ApiClient, routers: readonly Emulator[]): Promise<Member[]> {
  const members: Member[] = [];
  for (let first = 0; first < routers.length; first += AT_ONCE) {
    const adding = routers.slice(first, first + AT_ONCE).map(async (router) => {
      const site: Site = expectStatus(await api.post("/v1/sites", siteOf(router)), 201);
      return { router, siteId: site.id };
    });
    members.push(...(await Promise.all(adding)));
  }
  return members.sort((a, b) => (a.siteId < b.siteId ? -1 : 1));
}

/** What a run or a preview begins from: a site and what every module wants of it, read in one transaction. */
import type { Database } from "../database/index.ts";
import type { Handover, Handovers } from "./handovers.ts";
import type {
  Contributor,
  DesiredMenu,
  Intent,
  Observed,
  RouterNow,
  SiteRecords,
  SiteSnapshot,
} from "./types.ts";

export interface Loaded {
  readonly site: SiteSnapshot;
  readonly intents: readonly Intent[];
  readonly handovers: readonly Handover[];
}

export interface Sources {
  readonly database: Database;
  readonly sites: SiteRecords;
  readonly handovers: Handovers;
  readonly contributors: readonly Contributor[];
}

/** @returns undefined when the site is gone */
export function load(
  { database, sites, handovers, contributors }: Sources,
  siteId: string,
): Promise<Loaded | undefined> {
  return database.asSystem(async (trx) => {
    const site = await sites.load(trx, siteId);
    if (!site) return undefined;
    const intents: Intent[] = [];
    for (const contributor of contributors) intents.push(await contributor.load(trx, siteId));
    return { site, intents, handovers: await handovers.load(trx, siteId) };
  });
}

/** What a router is asked about before anything is known of it. */
export const NOTHING: Observed = new Map();

/** The rows that all modules together want, given what is there. */
export function wantedOf({ site, intents }: Loaded, router: RouterNow, observed: Observed): DesiredMenu[] {
  const { version, managementAddress } = router;
  const facts = { version, managementAddress, offboarding: site.offboarding, observed };
  return intents.flatMap((intent) => intent.desired(facts));
}

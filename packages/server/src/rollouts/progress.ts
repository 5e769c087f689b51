/** How far a rollout's sites are. It is read from the sites themselves, so that it is true at any moment. */
import type { RolloutSiteState } from "@portreeve/api-schema";
import { sql } from "kysely";
import type { Trx } from "../database/index.ts";

/** A router that was given the change and is away for so long is lost, seconds: four periods of 30. */
const LOST_AFTER_SECONDS = 120;

/**
 * A run counts when it tried the generation with which the site was given the revision, or a later one:
 * `observed_generation` was delivered and read back, `checked_generation` was tried, whatever came of it.
 * Away since before it could be reached: nothing has happened to it. Reached and then away: it may be rebooting; when
 * it stays away, the change has cut it off. What a rollout that is over has come to stays as it was written down.
 */
export const STATE = sql<RolloutSiteState>`
  case
    when rollouts.ended_at is not null or rollout_sites.state in ('verified', 'reverted', 'left')
      then rollout_sites.state
    when rollout_sites.state = 'waiting'
      then case site.status when 'online' then 'waiting' else 'unreachable' end
    when site.observed_generation >= rollout_sites.generation
      then case rollouts.state when 'rolling_back' then 'reverted' else 'verified' end
    when site.checked_generation < rollout_sites.generation then rollout_sites.state
    when site.sync_state in ('failed', 'needs_attention') then 'failed'
    when site.status <> 'offline' then rollout_sites.state
    when site.last_seen_at > rollout_sites.started_at
      then case when site.last_seen_at < now() - make_interval(secs => ${sql.lit(LOST_AFTER_SECONDS)})
                then 'failed' else rollout_sites.state end
    else 'unreachable'
  end`;

/** Says something of sites that have failed or can't be reached. */
export const REASON = sql<string | null>`
  case
    when rollouts.ended_at is not null or site.sync_reason is null then rollout_sites.reason
    when site.status = 'offline' and site.last_seen_at > rollout_sites.started_at
      then 'away since it was given the change: ' || site.sync_reason
    else site.sync_reason
  end`;

/**
 * The sites of rollouts, to select STATE and REASON from. Each site is looked up by its id (OFFSET keeps it so):
 * while PostgreSQL has no statistics of a fleet that was just added it takes every table for one row, and would go
 * through all sites once for each of them.
 */
export function rolloutSites(trx: Trx) {
  return trx
    .selectFrom("rollout_sites")
    .innerJoin("rollouts", "rollouts.id", "rollout_sites.rollout_id")
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom("sites")
          .innerJoin("site_sync", "site_sync.site_id", "sites.id")
          .select(["sites.id", "sites.name", "sites.status", "sites.version", "sites.model"])
          .select(["sites.last_seen_at", "site_sync.sync_state", "site_sync.sync_reason"])
          .select(["site_sync.observed_generation", "site_sync.checked_generation"])
          .whereRef("sites.id", "=", "rollout_sites.site_id")
          .offset(sql.lit(0))
          .as("site"),
      (join) => join.onTrue(),
    );
}

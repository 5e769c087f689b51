import { opensToEveryone, type TransientAccess } from "@portreeve/api-schema";
import { documentTime } from "../kernel/document-time.ts";
import type { Secret } from "../vault/index.ts";
import type { GrantRow } from "./store.ts";

/** @param password undefined where the caller may not read it */
export function presentGrant(grant: GrantRow, password: Secret | undefined): TransientAccess {
  const warnings =
    grant.allow_only_cidr && opensToEveryone([grant.allow_only_cidr]) ? ["open to the whole internet"] : [];
  return {
    id: grant.id,
    username: grant.username,
    password: password?.reveal() ?? null,
    port: grant.port,
    type: grant.type,
    full_access: grant.full_access,
    allow_rfc1918: grant.allow_rfc1918,
    config_committed_to_site: grant.committed_at && documentTime(grant.committed_at),
    config_removed_from_site: grant.removed_from_site_at !== null,
    config_removed_from_mpac: grant.removed_from_gateway_at !== null,
    revoked_early: grant.revoked_at !== null,
    allow_only_ip: grant.allow_only_ip,
    allow_only_cidr: grant.allow_only_cidr,
    authorized_at: grant.authorized_at && documentTime(grant.authorized_at),
    expires_at: documentTime(grant.expires_at),
    // The gateway's own clock may have ended it before the database's did.
    expired: grant.seconds_left <= 0 || (grant.removed_from_gateway_at !== null && grant.revoked_at === null),
    entry_point: grant.entry_point,
    time_to_expire: timeToExpire(grant.seconds_left),
    reason: grant.reason,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

/** `59 minutes from now`, `1 second ago`: whole units, rounded down. */
export function timeToExpire(secondsLeft: number): string {
  const seconds = Math.abs(Math.trunc(secondsLeft));
  const [amount, unit] =
    seconds >= 3600
      ? [Math.floor(seconds / 3600), "hour"]
      : seconds >= 60
        ? [Math.floor(seconds / 60), "minute"]
        : [seconds, "second"];
  return `${amount} ${unit}${amount === 1 ? "" : "s"} ${secondsLeft > 0 ? "from now" : "ago"}`;
}

import { copyOf, element, fill, fillState, fillTime, keyed } from "./dom.js";
import { parseDocumentTime, timeAgo, timeLeft } from "./time.js";

export const SERVICE_WORDS = { ssh: "SSH", winbox: "WinBox" };

/** Below this much time left, the count-down stands out. */
const SOON_MS = 5 * 60_000;

export const rightsOf = (grant) => (grant.full_access ? "full access" : "read-only");

export const entryOf = (grant) => `${grant.entry_point}:${grant.port}`;

/** Whom the access admits, in the API's own terms. */
export function admitsOf(grant, separator = ", ") {
  const sources = [
    grant.allow_only_ip,
    grant.allow_only_cidr,
    grant.allow_rfc1918 ? "private addresses" : null,
  ];
  return sources.filter(Boolean).join(separator) || "nobody";
}

export const committedWords = (grant) =>
  grant.config_committed_to_site ? "ready" : "waiting for the router";

export const leftOf = (grant, now) => (parseDocumentTime(grant.expires_at) ?? now) - now;

/** What is asked before an access is revoked. */
export function revokeWords(grant) {
  const service = SERVICE_WORDS[grant.type] ?? grant.type;
  const text = `${service} access to ${grant.site.name} ends for ${grant.username}, and sessions in progress are cut.`;
  return { title: "Revoke this access?", text, verb: "Revoke", keep: "Keep it" };
}

/**
 * The table of open access of all sites. A grant carries its site as `site`.
 * @param {(grant: object) => void} revoke
 * @returns {{show(grants: object[], now: number): void, tick(now: number): void}} `tick` moves the clocks on
 */
export function grantsView(revoke) {
  const rowsOf = new Map();
  let shown = [];

  function create(grant) {
    const row = copyOf("grant-row");
    row.querySelector("[data-action=revoke]").addEventListener("click", () => revoke(grant));
    rowsOf.set(grant.id, row);
    return row;
  }

  function update(row, grant) {
    fill(row, {
      site: grant.site.name,
      reason: grant.reason,
      service: SERVICE_WORDS[grant.type] ?? grant.type,
      entry: entryOf(grant),
      username: grant.username,
      rights: rightsOf(grant),
      admits: admitsOf(grant, "\n"),
    });
    const committed = Boolean(grant.config_committed_to_site);
    fillState(row, "committed", committedWords(grant), committed ? "in_sync" : "pending");
    const label = `Revoke ${SERVICE_WORDS[grant.type] ?? grant.type} access to ${grant.site.name} of ${grant.username}`;
    row.querySelector("[data-action=revoke]").setAttribute("aria-label", label);
  }

  function tick(now) {
    for (const grant of shown) {
      const row = rowsOf.get(grant.id);
      const left = leftOf(grant, now);
      fillTime(row, "left", timeLeft(left), parseDocumentTime(grant.expires_at));
      row.querySelector("[data-field=left]").classList.toggle("soon", left < SOON_MS);
      const used = parseDocumentTime(grant.authorized_at);
      fill(row, { used: used === undefined ? "not used yet" : `first used ${timeAgo(now - used)}` });
    }
  }

  const rows = keyed(element("grants"), create, update);
  return {
    show(unsorted, now) {
      const grants = unsorted.toSorted((one, other) => leftOf(one, now) - leftOf(other, now));
      rows(grants);
      shown = grants;
      for (const id of rowsOf.keys()) if (!grants.some((grant) => grant.id === id)) rowsOf.delete(id);
      tick(now);
      element("grants-count").textContent = grants.length || "";
      element("grants-table").hidden = grants.length === 0;
      element("grants-empty").hidden = grants.length > 0;
    },
    tick,
  };
}

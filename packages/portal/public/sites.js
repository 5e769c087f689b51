import { copyOf, element, fill, fillState, fillTime, keyed } from "./dom.js";
import { exposureWords } from "./exposure.js";
import { timeAgo } from "./time.js";

const SYNC_WORDS = {
  in_sync: "in sync",
  pending: "pending",
  drifted: "drifted",
  failed: "failed",
  needs_attention: "needs attention",
};

const ACTION_LABELS = {
  ssh: "Open SSH access to",
  winbox: "Open WinBox access to",
  plan: "Show the plan for",
  hardening: "Show the hardening of",
  exposure: "Show the exposure of",
};

/** States that stay until somebody does something; what was done is tried by reconciling once more. */
const STUCK = ["drifted", "failed", "needs_attention"];

/**
 * The table of sites.
 * @param {Record<string, (site: object, button: HTMLButtonElement) => void>} actions by `data-action`
 * @returns {(sites: object[], context: {now: number, policyName: (id: string) => string,
 *   exposureOf: (id: string) => object | undefined, more: boolean}) => void}
 */
export function sitesView(actions) {
  const latest = new Map();
  let context;

  function create({ id }) {
    const row = copyOf("site-row");
    for (const button of row.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => actions[button.dataset.action](latest.get(id), button));
    }
    return row;
  }

  function update(row, site) {
    latest.set(site.id, site);
    const hardware = [site.model, site.version && `RouterOS ${site.version}`].filter(Boolean);
    fill(row, {
      name: site.name,
      address: site.address,
      identity: site.identity ?? "not known yet",
      hardware: hardware.join(", "),
      reason: site.sync.reason,
      policy: context.policyName(site.policy_id),
      exposed: exposureWords(context.exposureOf(site.id)),
    });
    fillState(row, "status", site.status, site.status);
    fillState(row, "sync", SYNC_WORDS[site.sync.state] ?? site.sync.state, site.sync.state);
    const seen = site.last_seen_at === null ? undefined : Date.parse(site.last_seen_at);
    fillTime(row, "seen", seen === undefined ? "never seen" : `seen ${timeAgo(context.now - seen)}`, seen);
    for (const [action, label] of Object.entries(ACTION_LABELS)) {
      row.querySelector(`[data-action=${action}]`).setAttribute("aria-label", `${label} ${site.name}`);
    }
    const isStuck = STUCK.includes(site.sync.state);
    const reconcile = row.querySelector("[data-action=reconcile]");
    reconcile.classList.toggle("quiet", !isStuck);
    reconcile.setAttribute("aria-label", `${isStuck ? "Try again" : "Reconcile now"}: ${site.name}`);
    fill(row, { reconcile: isStuck ? "Try again" : "Reconcile" });
  }

  const rows = keyed(element("sites"), create, update);
  return (sites, newContext) => {
    context = newContext;
    rows(sites);
    element("sites-count").textContent = `${sites.length}${context.more ? "+" : ""}`;
    element("sites-empty").hidden = sites.length > 0;
    element("more-sites").hidden = !context.more;
  };
}

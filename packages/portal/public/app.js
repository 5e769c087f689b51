import { Api } from "./api.js";
import { closeButtons, element, emptyDialogs, keepTableRoles, whileBusy } from "./dom.js";
import { grantsView } from "./grants.js";
import { complain, say, warn } from "./messages.js";
import { guardNewAccess, openAccessForm, updateNewAccess } from "./open-access.js";
import { showPlan } from "./plan.js";
import { policiesView } from "./policies.js";
import { policyEditor } from "./policy-editor.js";
import { polling } from "./polling.js";
import { revokeQuestion } from "./revoke.js";
import { forgetToken, keptToken, signInForm } from "./sign-in.js";
import { sitesView } from "./sites.js";

const POLL_MS = 5_000;
const PAGE = 50;
/** Sites without known access whose access is asked for in one round; the others have their turn after them. */
const SITES_PER_ROUND = 20;

let api;
let sites = [];
let policies = [];
let pages = 1;
let turn = 0;
/** Site id -> its current grants, as last heard. */
const grantsOf = new Map();

const openAccess = openAccessForm((grant) => {
  grantsOf.set(grant.site.id, [...(grantsOf.get(grant.site.id) ?? []), grant]);
  showGrants();
  poll.now();
});
const askRevoke = revokeQuestion((grant) => {
  grantsOf.set(
    grant.site.id,
    (grantsOf.get(grant.site.id) ?? []).filter(({ id }) => id !== grant.id),
  );
  showGrants();
  // The button that asked is gone with its row.
  element("grants-title").focus();
  say(`Access to ${grant.site.name} is revoked.`);
  poll.now();
});
const showSites = sitesView({
  ssh: (site) => openAccess(api, site, "ssh"),
  winbox: (site) => openAccess(api, site, "winbox"),
  plan: (site) => showPlan(api, site),
  reconcile: (site, button) => whileBusy(button, () => reconcile(site)),
});
const grantsTable = grantsView((grant) => askRevoke(api, grant));
const editPolicy = policyEditor(({ name, warnings = [] }) => {
  say(`The policy ${name} is saved.`);
  if (warnings.length > 0) warn(`${name}: ${warnings.join("; ")}.`);
  poll.now();
});
const showPolicies = policiesView((policy) => editPolicy(api, policy));
const poll = polling(round, POLL_MS);

async function reconcile(site) {
  try {
    await api.post(`/v1/sites/${site.id}/reconcile`);
    say(`${site.name} is being reconciled.`);
    poll.now();
  } catch (problem) {
    complain(`${site.name} could not be reconciled. ${problem.message}`);
  }
}

/** Read everything afresh; a part that fails keeps what it showed and says why. */
async function round() {
  const asked = api;
  const parts = [
    ["sites-problem", readSites],
    ["policies-problem", readPolicies],
    ["grants-problem", readGrants],
  ];
  const problems = [];
  for (const [place, read] of parts) {
    const problem = await read(asked).then(
      () => undefined,
      (reason) => reason,
    );
    // Signed out, or signed in anew, while the answer was on its way.
    if (api !== asked) return;
    if (problem?.status === 401) return signOut("The token is not accepted any more.");
    if (problem && problem.status === undefined) throw problem;
    problems.push(problem);
    // An unreachable server is said once, at the top.
    element(place).textContent = problem?.status ? problem.message : "";
  }
  showAll();
  showFreshness(problems.find((problem) => problem?.status === 0));
}

async function readSites(asked) {
  const status = element("status-filter").value;
  const read = [];
  let cursor = null;
  for (let page = 0; page < pages; page++) {
    const query = new URLSearchParams({ limit: PAGE, ...(status && { status }), ...(cursor && { cursor }) });
    const answer = await asked.get(`/v1/sites?${query}`);
    read.push(...answer.data);
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  if (asked === api) sites = Object.assign(read, { more: cursor !== null });
}

async function readPolicies(asked) {
  const read = await asked.get("/v1/control-plane/policies");
  if (asked === api) policies = read;
}

/** Sites with access every time, the others in turn: a long list of sites costs no more than a short one. */
async function readGrants(asked) {
  const inUse = [...grantsOf.values()].filter((grants) => grants.length > 0).map(([grant]) => grant.site);
  const others = sites.filter(({ id }) => !grantsOf.get(id)?.length);
  const inTurn = [...others.slice(turn), ...others.slice(0, turn)].slice(0, SITES_PER_ROUND);
  turn = turn + SITES_PER_ROUND < others.length ? turn + SITES_PER_ROUND : 0;
  await Promise.all([...inUse, ...inTurn].map((site) => readGrantsOf(asked, site)));
}

async function readGrantsOf(asked, site) {
  try {
    // reveal=false: a poll needs no passwords, and reading them would be audited each time.
    const grants = await asked.get(`/v1/control-plane/${site.id}/transient-access?reveal=false`);
    if (asked === api)
      grantsOf.set(
        site.id,
        grants.map((grant) => ({ ...grant, site })),
      );
  } catch (problem) {
    // The site has been deleted since the list was read.
    if (problem.status !== 404) throw problem;
    grantsOf.delete(site.id);
  }
}

function showAll() {
  const policyNames = new Map(policies.map(({ id, name }) => [id, name]));
  showSites(sites, { now: api.now, policyName: (id) => policyNames.get(id) ?? "", more: sites.more });
  showPolicies(policies, siteCount);
  showGrants();
}

function siteCount(policyId) {
  if (sites.more || element("status-filter").value) return "";
  const count = sites.filter((site) => site.policy_id === policyId).length;
  return count === 1 ? "1 site" : `${count} sites`;
}

function showGrants() {
  const grants = [...grantsOf.values()].flat();
  grantsTable.show(grants, api.now);
  element("grants-hint").hidden = !sites.more;
  tickNewAccess(grants);
}

function tickNewAccess(grants) {
  const grant = grants.find(({ id }) => id === element("new-access").dataset.grant);
  if (grant) updateNewAccess(grant, api.now);
}

function showFreshness(problem) {
  const time = new Date().toLocaleTimeString();
  const line = element("freshness");
  line.classList.toggle("stale", problem !== undefined);
  if (problem === undefined) line.textContent = `As of ${time}`;
  else if (!line.textContent.startsWith("Not reachable")) line.textContent = `Not reachable since ${time}`;
}

function signedIn(newApi) {
  api = newApi;
  element("sign-in").hidden = true;
  element("overview").hidden = false;
  element("signed-in").hidden = false;
  poll.start();
}

function signOut(reason = "") {
  poll.stop();
  forgetToken();
  // Whatever the token had shown leaves the page with it.
  emptyDialogs();
  element("messages").replaceChildren();
  [sites, policies, pages, turn] = [[], [], 1, 0];
  grantsOf.clear();
  showAll();
  api = undefined;
  element("overview").hidden = true;
  element("signed-in").hidden = true;
  askForToken(reason);
}

function askForToken(reason = "") {
  element("sign-in").hidden = false;
  element("token-error").textContent = reason;
  element("token").focus();
}

keepTableRoles();
closeButtons();
guardNewAccess();
signInForm(signedIn);
element("sign-out").addEventListener("click", () => signOut());
element("status-filter").addEventListener("change", () => {
  pages = 1;
  poll.now();
});
element("more-sites").addEventListener("click", () => {
  pages += 1;
  poll.now();
});
setInterval(() => {
  if (api === undefined || document.hidden) return;
  grantsTable.tick(api.now);
  tickNewAccess([...grantsOf.values()].flat());
}, 1_000);

const kept = keptToken();
if (kept === undefined) askForToken();
else signedIn(new Api(kept));

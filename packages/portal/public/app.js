import { Api } from "./api.js";
import { closeButtons, element, emptyDialogs, keepTableRoles, whileBusy } from "./dom.js";
import { exposureDialog } from "./exposure.js";
import { Fleet } from "./fleet.js";
import { grantsView, revokeWords } from "./grants.js";
import { hardeningDialog } from "./hardening.js";
import { complain, say, warn } from "./messages.js";
import { guardNewAccess, openAccessForm, updateNewAccess } from "./open-access.js";
import { showPlan } from "./plan.js";
import { policiesView } from "./policies.js";
import { policyEditor } from "./policy-editor.js";
import { polling } from "./polling.js";
import { questionDialog } from "./question.js";
import { endOf, rolloutsView } from "./rollouts.js";
import { forgetToken, keptToken, signInForm } from "./sign-in.js";
import { sitesView } from "./sites.js";

const POLL_MS = 5_000;

/** What is known under the token; undefined while nobody is signed in. */
let fleet;

const ask = questionDialog();
// What is answered after somebody signed out is nobody's any more.
const openAccess = openAccessForm((grant) => {
  if (fleet === undefined) return;
  fleet.addGrant(grant);
  showGrants();
  poll.now();
});
const editPolicy = policyEditor(({ name, warnings = [] }) => {
  if (fleet === undefined) return;
  say(`The policy ${name} is saved.`);
  if (warnings.length > 0) warn(`${name}: ${warnings.join("; ")}.`);
  poll.now();
});
const showHardening = hardeningDialog();
const showExposure = exposureDialog((check) => fleet?.noteExposure(check));
const showSites = sitesView({
  ssh: (site) => openAccess(fleet.api, site, "ssh"),
  winbox: (site) => openAccess(fleet.api, site, "winbox"),
  plan: (site) => showPlan(fleet.api, site),
  hardening: (site) => showHardening(fleet.api, site),
  exposure: (site) => showExposure(fleet.api, site),
  reconcile: (site, button) => whileBusy(button, () => reconcile(site)),
});
const showRollouts = rolloutsView((rollout, command, words) => {
  const { api } = fleet;
  ask(words, () => api.post(`/v1/rollouts/${rollout.id}/${command}`), poll.now);
});
const grantsTable = grantsView((grant) => {
  const { api } = fleet;
  const path = `/v1/control-plane/${grant.site.id}/transient-access/${grant.id}`;
  ask(
    revokeWords(grant),
    () => api.delete(path),
    () => revoked(grant),
  );
});
const showPolicies = policiesView((policy) => editPolicy(fleet.api, policy));
const poll = polling(round, POLL_MS);

async function reconcile(site) {
  try {
    await fleet.api.post(`/v1/sites/${site.id}/reconcile`);
    say(`${site.name} is being reconciled.`);
    poll.now();
  } catch (problem) {
    complain(`${site.name} could not be reconciled. ${problem.message}`);
  }
}

function revoked(grant) {
  fleet.removeGrant(grant);
  showGrants();
  // The button that asked is gone with its row.
  element("grants-title").focus();
  say(`Access to ${grant.site.name} is revoked.`);
  poll.now();
}

/** Read everything afresh; a part that fails keeps what it showed and says why. */
async function round() {
  const asked = fleet;
  const parts = [
    ["sites-problem", () => asked.readSites(element("status-filter").value)],
    ["policies-problem", () => asked.readPolicies()],
    ["rollouts-problem", async () => sayEnded(await asked.readRollouts())],
    ["grants-problem", () => asked.readSiteBySite()],
  ];
  const problems = [];
  for (const [place, read] of parts) {
    const problem = await read().then(
      () => undefined,
      (reason) => reason,
    );
    // Signed out, or signed in anew, while the answer was on its way.
    if (fleet !== asked) return;
    if (problem?.status === 401) return signOut("The token is no longer accepted.");
    if (problem && problem.status === undefined) throw problem;
    problems.push(problem);
    // An unreachable server is said once, at the top.
    element(place).textContent = problem?.status ? problem.message : "";
  }
  showAll(asked);
  showFreshness(problems.find((problem) => problem?.status === 0));
}

function sayEnded(rollouts) {
  if (fleet === undefined) return;
  for (const rollout of rollouts) say(endOf(rollout));
}

function showAll({ sites, policies, rollouts, more, exposureOf, api }) {
  const policyNames = new Map(policies.map(({ id, name }) => [id, name]));
  showSites(sites, { now: api.now, policyName: (id) => policyNames.get(id) ?? "", exposureOf, more });
  showRollouts(rollouts);
  showPolicies(policies, siteCount);
  showGrants();
}

function siteCount(policyId) {
  if (fleet.more || element("status-filter").value) return "";
  const count = fleet.sites.filter((site) => site.policy_id === policyId).length;
  return count === 1 ? "1 site" : `${count} sites`;
}

function showGrants() {
  grantsTable.show(fleet.grants, fleet.api.now);
  element("grants-hint").hidden = !fleet.more;
  tickNewAccess();
}

function tickNewAccess() {
  const grant = fleet.grants.find(({ id }) => id === element("new-access").dataset.grant);
  if (grant) updateNewAccess(grant, fleet.api.now);
}

function showFreshness(problem) {
  const time = new Date().toLocaleTimeString();
  const line = element("freshness");
  line.classList.toggle("stale", problem !== undefined);
  if (problem === undefined) line.textContent = `As of ${time}`;
  else if (!line.textContent.startsWith("Not reachable")) line.textContent = `Not reachable since ${time}`;
}

function signedIn(api) {
  fleet = new Fleet(api);
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
  fleet = new Fleet(fleet.api);
  showAll(fleet);
  fleet = undefined;
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
  fleet.pages = 1;
  poll.now();
});
element("more-sites").addEventListener("click", () => {
  fleet.pages += 1;
  poll.now();
});
setInterval(() => {
  if (fleet === undefined || document.hidden) return;
  grantsTable.tick(fleet.api.now);
  tickNewAccess();
}, 1_000);

const kept = keptToken();
if (kept === undefined) askForToken();
else signedIn(new Api(kept));

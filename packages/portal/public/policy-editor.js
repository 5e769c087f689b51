import { build, element, fill, whileBusy } from "./dom.js";
import { effectParts } from "./effect.js";
import { showErrors, showProblem } from "./form-errors.js";
import { draftOf, fillPolicyForm, serviceFields } from "./policy-form.js";

/**
 * The form of a policy: what a draft would do to each site is shown first, and saved afterwards.
 * @param {(policy: object) => void} saved told of each policy that was changed, as the server answers it
 * @returns {(api: object, policy: object) => void} opens it
 */
export function policyEditor(saved) {
  const dialog = element("policy");
  const form = element("policy-form");
  const preview = element("policy-preview");
  const lockOut = element("policy-lock-out");
  const reason = form.elements.lock_out_reason;
  let api;
  let policy;

  element("policy-services").append(...serviceFields());
  form.addEventListener("input", ({ target }) => {
    if (target !== reason) forgetAnswers();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(form.querySelector("[type=submit]"), save);
  });
  element("policy-preview-now").addEventListener("click", ({ target }) => whileBusy(target, predictPlan));

  const path = () => `/v1/control-plane/policies/${policy.id}`;

  /** What was predicted, and what a reason was given for, was another draft. */
  function forgetAnswers() {
    preview.replaceChildren();
    lockOut.hidden = true;
    reason.value = "";
  }

  async function predictPlan() {
    const asked = policy;
    const draft = draftOf(form, policy);
    const isAsked = () => dialog.open && asked === policy;
    showErrors(form, {}, "");
    preview.replaceChildren(build("p", { class: "hint", role: "status" }, "Asking the routers…"));
    try {
      const { data } = await api.post(`${path()}/preview`, { policy: draft });
      if (!isAsked() || JSON.stringify(draft) !== JSON.stringify(draftOf(form, policy))) return;
      preview.replaceChildren(...sitesOf(data));
      preview.scrollIntoView({ block: "start" });
    } catch (problem) {
      if (!isAsked()) return;
      preview.replaceChildren();
      showProblem(form, problem, ofDraft(problem.fields));
    }
  }

  async function save() {
    const asked = policy;
    showErrors(form, {}, "");
    try {
      const confirmed = reason.value.trim() && { lock_out_reason: reason.value.trim() };
      const answer = await api.put(path(), { ...draftOf(form, policy), ...confirmed });
      if (asked === policy) dialog.close();
      saved(answer);
    } catch (problem) {
      if (dialog.open && asked === policy) refused(problem);
    }
  }

  /** A caller who would lock themselves out may do so, once they give a reason. */
  function refused(problem) {
    if (problem.code !== "caller-locked-out") return showProblem(form, problem);
    lockOut.hidden = false;
    const [what] = Object.values(problem.fields).flat();
    showErrors(form, problem.fields, `This ${what}: change the marked fields, or give a reason.`);
    reason.focus();
  }

  return (itsApi, itsPolicy) => {
    [api, policy] = [itsApi, itsPolicy];
    form.reset();
    fillPolicyForm(form, policy);
    showErrors(form, {}, "");
    forgetAnswers();
    fill(dialog, { policy: policy.name });
    dialog.showModal();
  };
}

/** A preview's errors name the fields of its draft as `policy.ssh.networks`. */
function ofDraft(fields = {}) {
  return Object.fromEntries(
    Object.entries(fields).map(([path, texts]) => [path.replace(/^policy\./, ""), texts]),
  );
}

function sitesOf(sites) {
  const title = build(
    "h3",
    {},
    sites.length === 0 ? "No site is under this policy" : "What each site would get",
  );
  return [title, ...sites.map((site) => sitePart(site, sites.length === 1))];
}

function sitePart({ name, reached, reason, ...effect }, isOnly) {
  const words = reached ? countsOf(effect) : "not reached";
  const content = reached ? effectParts(effect) : [build("p", { class: "problem" }, reason ?? "")];
  return build(
    "details",
    { class: "site-effect", ...((isOnly || !reached) && { open: "" }) },
    build("summary", {}, build("b", {}, name), ` ${words}`),
    content,
  );
}

function countsOf({ steps, warnings }) {
  const counted = (count, word) => `${count} ${count === 1 ? word : `${word}s`}`;
  const parts = [steps.length > 0 ? counted(steps.length, "step") : "nothing to change"];
  if (warnings.length > 0) parts.push(counted(warnings.length, "warning"));
  return parts.join(", ");
}

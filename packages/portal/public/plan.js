import { element, fill } from "./dom.js";
import { effectParts } from "./effect.js";

/** Ask what would be changed on a site's router, and show it with who could get in then. */
export async function showPlan(api, site) {
  const dialog = element("plan");
  const place = element("plan-effect");
  const isAsked = () => dialog.open && dialog.dataset.site === site.id;
  dialog.dataset.site = site.id;
  place.replaceChildren();
  fill(dialog, { site: site.name, summary: "Asking the router…", problem: "" });
  dialog.showModal();
  try {
    const plan = await api.get(`/v1/sites/${site.id}/plan`);
    if (!isAsked()) return;
    fill(dialog, { summary: summaryOf(plan.steps.length) });
    place.replaceChildren(...effectParts(plan));
  } catch (problem) {
    if (isAsked()) fill(dialog, { summary: "", problem: problem.message });
  }
}

function summaryOf(count) {
  if (count === 0) return "Nothing to do: the router is as the policy wants it.";
  return `${count} ${count === 1 ? "step" : "steps"}, in this order. Nothing has been changed yet.`;
}

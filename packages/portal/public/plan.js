import { element, fill } from "./dom.js";

/** Ask what would be changed on a site's router, and show it in RouterOS's own words. */
export async function showPlan(api, site) {
  const dialog = element("plan");
  const steps = element("plan-steps");
  steps.replaceChildren();
  fill(dialog, { site: site.name, summary: "Asking the router…", problem: "" });
  dialog.showModal();
  try {
    const plan = await api.get(`/v1/sites/${site.id}/plan`);
    fill(dialog, { summary: summaryOf(plan.steps.length) });
    steps.replaceChildren(...plan.steps.map(stepItem));
  } catch (problem) {
    fill(dialog, { summary: "", problem: problem.message });
  }
}

function summaryOf(count) {
  if (count === 0) return "Nothing to do: the router is as the policy wants it.";
  return `${count} ${count === 1 ? "step" : "steps"}, in this order. Nothing has been changed yet.`;
}

function stepItem({ text }) {
  const item = document.createElement("li");
  const code = document.createElement("code");
  code.textContent = text;
  item.append(code);
  return item;
}

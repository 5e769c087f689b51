import { build } from "./dom.js";
import { stepList } from "./effect.js";

const STATUS_WORDS = { open: "open", ok: "ok", unknown: "unknown", not_applicable: "does not apply" };

/**
 * One finding of the hardening report: how it is, and behind a click why it matters, what it rests on and the fix.
 * @param {object} finding as the API answers it
 * @param {{chosen: () => void, stop: (button: HTMLButtonElement) => void}} on a box was ticked or cleared; somebody
 *   wants the fix no longer kept
 */
export function findingItem(finding, on) {
  const { title, status, detail, fix, enforced } = finding;
  const summary = build(
    "summary",
    {},
    build("span", {}, title, " ", enforced && build("span", { class: "tag" }, keptWords(status))),
    build("span", { class: "state", "data-state": status }, STATUS_WORDS[status] ?? status),
    build("small", {}, detail),
  );
  const about = build("details", {}, summary, aboutParts(finding, on));
  const box = status === "open" && fix !== null && !enforced && fixBox(finding, about, on);
  return build("li", { class: "finding" }, build("div", {}, box), about);
}

const keptWords = (status) => (status === "ok" ? "enforced" : "fix on its way");

/** What a fix does and breaks is read before it is asked for: ticking its box opens it. */
function fixBox({ id, title }, about, on) {
  const box = build("input", { type: "checkbox", value: id, "aria-label": `Fix: ${title}` });
  box.addEventListener("change", () => {
    if (box.checked) about.open = true;
    on.chosen();
  });
  return box;
}

function aboutParts(finding, on) {
  const { why, source, evidence, evidence_omitted, fix, no_fix_reason, enforced, title } = finding;
  const stop =
    enforced && build("button", { type: "button", "aria-label": `Stop fixing: ${title}` }, "Stop fixing");
  if (stop) stop.addEventListener("click", () => on.stop(stop));
  return [
    build("p", {}, why, " ", sourceOf(source)),
    evidence.map(evidencePart),
    evidence_omitted > 0 && build("p", { class: "hint" }, `and ${evidence_omitted} more`),
    fix && [build("h4", {}, "The fix"), stepList(fix.steps)],
    fix?.caution && build("p", { class: "caution" }, fix.caution),
    no_fix_reason && build("p", { class: "hint" }, no_fix_reason),
    stop && build("p", {}, stop, build("small", {}, "The router stays as it is.")),
  ];
}

function sourceOf({ title, url }) {
  if (!/^https?:\/\//.test(url)) return build("span", {}, title);
  return build("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, title);
}

function evidencePart({ menu, values }) {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  return build("p", { class: "evidence" }, build("code", {}, menu), " ", build("code", {}, pairs.join(" ")));
}

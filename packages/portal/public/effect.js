/** What a change would do to one router: warnings, steps, who can still get in, and the input chain afterwards. */
import { accessTable } from "./access-table.js";
import { build } from "./dom.js";

/**
 * @param {{steps: object[], access: object[], warnings: string[], input_chain: object}} effect a plan of the API
 * @returns {HTMLElement[]} its parts; those with nothing to say are left out
 */
export function effectParts({ steps, access, warnings, input_chain }) {
  const chains = [chain("IPv4", input_chain.ipv4), chain("IPv6", input_chain.ipv6)];
  return [
    warnings.length > 0 && part("Warnings", build("ul", { class: "warnings" }, warnings.map(line))),
    steps.length > 0 && part("Steps", stepList(steps)),
    access.length > 0 && part("Who still has access", ...accessTable(access)),
    part("Input chain afterwards", ...chains),
  ].filter(Boolean);
}

const line = (text) => build("li", {}, text);

const part = (title, ...content) => build("div", { class: "part" }, build("h3", {}, title), content);

/** Steps in RouterOS's own words, each with what it replaces. */
export function stepList(steps) {
  return build("ol", { class: "steps", "aria-label": "Steps" }, steps.map(stepItem));
}

function stepItem({ text, before }) {
  const was = Object.entries(before ?? {}).map(([name, value]) => `${name}=${quoted(value)}`);
  const replaced = was.length > 0 && build("small", {}, "now ", build("code", {}, was.join(" ")));
  return build("li", {}, build("div", {}, build("code", {}, text), replaced));
}

const quoted = (value) => (/^[\w.:/,!*-]+$/.test(value) ? value : `"${value}"`);

function chain(family, rules) {
  if (rules === null) return build("p", { class: "hint" }, `The router has no ${family} filter.`);
  if (rules.length === 0) return build("p", { class: "hint" }, `${family}: no rule.`);
  const ours = rules.filter((rule) => rule.ours).length;
  const count = `${family}: ${rules.length === 1 ? "1 rule" : `${rules.length} rules`}, ${ours} of Portreeve`;
  return build(
    "details",
    { class: "chain" },
    build("summary", {}, count),
    build("ol", { "aria-label": `Input chain, ${family}` }, rules.map(ruleItem)),
  );
}

function ruleItem({ number, text, ours, dynamic, disabled }) {
  const tags = [ours && "Portreeve", dynamic && "dynamic", disabled && "disabled"].filter(Boolean);
  return build(
    "li",
    { ...(ours && { class: "ours" }), ...(disabled && { "data-disabled": "" }) },
    build("span", { class: "number" }, String(number)),
    build(
      "div",
      {},
      build("code", {}, text),
      tags.map((tag) => [" ", build("span", { class: "tag" }, tag)]),
    ),
  );
}

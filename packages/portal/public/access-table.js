import { build } from "./dom.js";
import { SERVICES } from "./services.js";

const SOURCE_WORDS = {
  management: "Portreeve itself",
  caller: "You",
  policy: "A network of the policy",
  router: "A network of the router’s rules",
  internet: "The internet",
};

/**
 * Who gets in at which service, before and after a change.
 * @param {object[]} rows the API's AccessRows
 * @returns {HTMLElement[]} a table; services that nobody reaches, before and after, are named below it
 */
export function accessTable(rows) {
  const isOpen = ([name]) =>
    rows.some(
      ({ services }) => services[name].before.access !== "no" || services[name].after.access !== "no",
    );
  const open = SERVICES.filter(isOpen);
  const closed = SERVICES.filter((service) => !isOpen(service)).map(([, word]) => word);
  const head = ["Source", ...open.map(([, word]) => word)].map((word) => build("th", { scope: "col" }, word));
  const table = build(
    "table",
    { class: "access", "aria-label": "Who still has access" },
    build("thead", {}, build("tr", {}, head)),
    build(
      "tbody",
      {},
      rows.map((row) => sourceRow(row, open)),
    ),
  );
  const note = closed.length > 0 && `Closed to everybody, before and after: ${closed.join(", ")}.`;
  return [open.length > 0 && table, note && build("p", { class: "hint" }, note)].filter(Boolean);
}

function sourceRow({ source, services }, open) {
  const network = build("span", { class: "mono" }, source.network);
  const who = build("small", {}, SOURCE_WORDS[source.kind] ?? source.kind);
  const cells = open.map(([name, word]) =>
    build("td", { "data-label": word }, verdict(services[name].before, services[name].after)),
  );
  return build("tr", {}, build("th", { scope: "row" }, network, who), cells);
}

/** `yes`, or `no → yes` where it changes; what decides is on hover and behind a click. */
function verdict(before, after) {
  const changes = before.access !== after.access;
  const reasons =
    JSON.stringify(before) === JSON.stringify(after)
      ? [reasonOf(after)]
      : [`Before: ${reasonOf(before)}`, `After: ${reasonOf(after)}`];
  const word = build("span", { class: "verdict", "data-access": after.access }, after.access);
  const summary = build("summary", { title: reasons.join("\n") }, changes && `${before.access} → `, word);
  return build(
    "details",
    changes ? { class: "changes" } : {},
    summary,
    reasons.map((reason) => build("p", { class: "hint" }, reason)),
  );
}

function reasonOf({ access, because, networks }) {
  const certain = networks.length > 0 ? `, for certain ${networks.join(", ")}` : "";
  return `${access}${certain} (${because.join("; ")})`;
}

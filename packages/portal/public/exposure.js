import { build, element, fill, whileBusy } from "./dom.js";
import { serviceWord } from "./services.js";
import { timeAgo } from "./time.js";

const STATE_WORDS = {
  open: "open",
  closes_at_once: "closes at once",
  closed: "closed",
  no_answer: "no answer",
  not_checked: "not checked",
};
const SOFTWARE_WORDS = { routeros: "RouterOS", other: "other software" };

/** @returns {string} what a row says of a site's last check; empty where nothing is against the policy */
export function exposureWords(check) {
  const count = check?.open_against_policy ?? 0;
  if (count === 0) return "";
  return `${count === 1 ? "1 port" : `${count} ports`} open against the policy`;
}

/**
 * The dialog of what a site's ports answer to somebody outside.
 * @param {(check: object) => void} checked told of each check that was made
 * @returns {(api: object, site: object) => void} shows the last check
 */
export function exposureDialog(checked) {
  const dialog = element("exposure");
  const table = element("exposure-table");
  const rows = element("exposure-ports");
  const button = element("exposure-now");
  let api;
  let site;

  button.addEventListener("click", () =>
    whileBusy(button, () => ask("Checking from outside, up to 15 seconds…", look)),
  );

  const path = () => `/v1/sites/${site.id}/exposure`;

  async function look() {
    const check = await api.post(path());
    checked(check);
    return check;
  }

  const last = async () => (await api.get(`${path()}?limit=1`)).data[0];

  async function ask(words, read) {
    const asked = site;
    const isAsked = () => dialog.open && asked === site;
    fill(dialog, { summary: words, problem: "" });
    try {
      const check = await read();
      if (isAsked()) show(check);
    } catch (problem) {
      if (isAsked()) fill(dialog, { summary: "", problem: problem.message });
    }
  }

  function show(check) {
    table.hidden = check === undefined;
    const words = check === undefined ? "This site has not been checked yet." : wordsOf(check, api.now);
    fill(dialog, { summary: words, verdict: check && verdictOf(check) });
    rows.replaceChildren(...(check?.ports ?? []).toSorted(byWeight).map(portRow));
  }

  return (itsApi, itsSite) => {
    [api, site] = [itsApi, itsSite];
    show(undefined);
    fill(dialog, { site: site.name });
    dialog.showModal();
    ask("Reading the last check…", last);
  };
}

function wordsOf({ checked_at, address, from_address, policy }, now) {
  const ago = timeAgo(now - Date.parse(checked_at));
  return `Checked ${ago} at ${address}, seen from ${from_address}, under the policy ${policy.name}.`;
}

function verdictOf(check) {
  if (!check.answered) return "No port answered, so nothing is known.";
  return `${exposureWords(check) || "No port is open against the policy"}.`;
}

/** What is against the policy first, then what is open, then the rest in the order given. */
const byWeight = (one, other) => weight(other) - weight(one);
const weight = ({ finding }) => (finding === "open_against_policy" ? 2 : finding === null ? 0 : 1);

function portRow({ port, service, state, software, version, answer, finding, reason }) {
  const words = [SOFTWARE_WORDS[software], version, answer].filter(Boolean).join(", ");
  const colour = finding === "open_against_policy" ? "open" : finding === null ? "closed" : "ok";
  return build(
    "tr",
    {},
    build("th", { scope: "row" }, build("b", {}, String(port)), build("small", {}, serviceWord(service))),
    build(
      "td",
      { "data-label": "State" },
      build("span", { class: "state", "data-state": colour }, STATE_WORDS[state] ?? state),
    ),
    build("td", { class: "long", "data-label": "Policy" }, reason),
    build("td", { class: "long", "data-label": "Answer" }, words),
  );
}

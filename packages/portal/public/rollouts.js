import { build, copyOf, element, fill, fillState, keyed } from "./dom.js";

const STATE_WORDS = {
  running: "running",
  paused: "paused",
  stopped: "stopped",
  rolling_back: "rolling back",
};

const END_WORDS = { done: "done", rolled_back: "rolled back", superseded: "replaced by a newer one" };

/** How each site is, as its number is told. */
const SITE_WORDS = {
  verified: "done",
  delivering: "being delivered",
  waiting: "waiting",
  unreachable: "offline",
  failed: "failed",
  reverting: "returning",
  reverted: "back",
  left: "left out",
};

/** What can be done in which state, and what is asked before. */
const COMMANDS = {
  pause: {
    states: ["running"],
    verb: "Pause",
    text: "No more sites get the change until somebody resumes the rollout. Sites that have it keep it.",
  },
  resume: {
    states: ["paused", "stopped"],
    verb: "Resume",
    text: "The remaining sites get the change, despite the failures so far.",
  },
  rollback: {
    states: ["running", "paused", "stopped"],
    verb: "Roll back",
    text: "The change is taken back from every site that has it, at once, and from the policy.",
  },
};

/**
 * The rollouts under way.
 * @param {(rollout: object, command: string, words: object) => void} ask called for a command somebody wants
 * @returns {(rollouts: object[]) => void}
 */
export function rolloutsView(ask) {
  const latest = new Map();

  function create({ id }) {
    const card = copyOf("rollout-card");
    for (const [command, { verb, text }] of Object.entries(COMMANDS)) {
      card.querySelector(`[data-action=${command}]`).addEventListener("click", () => {
        const rollout = latest.get(id);
        ask(rollout, command, { title: `${verb}: ${titleOf(rollout)}?`, text, verb });
      });
    }
    return card;
  }

  function update(card, rollout) {
    const isNews = JSON.stringify(latest.get(rollout.id)) !== JSON.stringify(rollout);
    latest.set(rollout.id, rollout);
    for (const [command, { states, verb }] of Object.entries(COMMANDS)) {
      const button = card.querySelector(`[data-action=${command}]`);
      button.hidden = !states.includes(rollout.state);
      button.setAttribute("aria-label", `${verb}: ${titleOf(rollout)}`);
    }
    const total = rollout.waves.length > 1 ? `In all: ${countsOf(rollout.sites)}` : "";
    fill(card, { title: titleOf(rollout), reason: rollout.reason, total });
    card.querySelector("[data-field=reason]").classList.toggle("problem", rollout.state === "stopped");
    fillState(card, "state", STATE_WORDS[rollout.state] ?? rollout.state, rollout.state);
    if (isNews) card.querySelector("[data-list]").replaceChildren(...partsOf(rollout));
  }

  const cards = keyed(element("rollouts"), create, update);
  return (rollouts) => {
    cards(rollouts);
    element("rollouts-count").textContent = rollouts.length;
    element("rollouts-section").hidden = rollouts.length === 0;
  };
}

/** @returns {string} what became of a rollout that is not under way any more */
export function endOf(rollout) {
  return `The rollout of ${titleOf(rollout)} is ${END_WORDS[rollout.state] ?? rollout.state}.`;
}

const titleOf = ({ policyName, revision }) => `${policyName}, revision ${revision}`;

/** `9 done, 1 failed, 2 offline` */
function countsOf(sites) {
  const counts = Object.entries(SITE_WORDS).filter(([state]) => sites[state] > 0);
  return counts.map(([state, word]) => `${sites[state]} ${word}`).join(", ");
}

function partsOf({ waves, failed, unreachable, sites }) {
  return [
    build("ol", { class: "waves", "aria-label": "Waves" }, waves.map(waveItem)),
    ...siteList("Failed", failed, sites.failed),
    ...siteList("Offline: they get the change when they are back", unreachable, sites.unreachable),
  ];
}

function waveItem({ number, size, sites }) {
  const finished = (sites.verified ?? 0) + (sites.reverted ?? 0);
  const bar = build("progress", {
    max: String(size),
    value: String(finished),
    "aria-label": `Wave ${number}`,
  });
  const words = countsOf(sites) || "not begun";
  const room = size === 1 ? "1 site" : `${size} sites`;
  return build("li", {}, build("span", {}, `Wave ${number}, ${room}`), bar, build("small", {}, words));
}

function siteList(title, sites, count = 0) {
  if (sites.length === 0) return [];
  const items = sites.map(({ name, reason }) =>
    build("li", {}, build("b", {}, name), reason && ` ${reason}`),
  );
  const rest = count > sites.length && build("li", {}, `and ${count - sites.length} more`);
  return [build("h4", {}, title), build("ul", { "aria-label": title }, items, rest)];
}

import type { Policy, Rollout, RolloutDetails, RolloutSiteState } from "@portreeve/api-schema";
import { OperatorError } from "../errors.ts";
import { facts, printable, table } from "../print.ts";
import type { Api } from "./api.ts";
import { atMost } from "./input.ts";
import { isId, listAll, policyId } from "./lists.ts";
import type { Run } from "./run-verb.ts";

const PATH = "/v1/rollouts";

/** States of sites in the order in which they are told: what is over first. */
const STATES: readonly RolloutSiteState[] = [
  "verified",
  "reverted",
  "failed",
  "delivering",
  "reverting",
  "waiting",
  "unreachable",
  "left",
];

const list: Run = async (api, _words, { policy, state, limit }) => {
  const policy_id = typeof policy === "string" ? await policyId(api, policy) : undefined;
  const data = await listAll<Rollout>(api, PATH, { policy_id, state }, atMost(limit));
  const names = await policyNames(api);
  const rows = data.map((rollout) => [
    names.get(rollout.policy_id ?? "") ?? "(deleted)",
    rollout.revision,
    stateOf(rollout),
    sitesOf(rollout),
    rollout.created_at,
    rollout.id,
  ]);
  return { data, text: table(["policy", "revision", "state", "sites", "started", "id"], rows) };
};

const show: Run = async (api, [name = ""]) => {
  const data = (await api.request("GET", `${PATH}/${await rolloutId(api, name)}`)) as RolloutDetails;
  const names = await policyNames(api);
  return { data, text: describe(data, names.get(data.policy_id ?? "")) };
};

function command(word: "pause" | "resume" | "rollback"): Run {
  return async (api, [name = ""]) => {
    const id = await rolloutId(api, name);
    const data = (await api.request("POST", `${PATH}/${id}/${word}`)) as RolloutDetails;
    return { data, text: `the rollout is ${stateOf(data)}` };
  };
}

export const rollouts = {
  list,
  show,
  pause: command("pause"),
  resume: command("resume"),
  rollback: command("rollback"),
};

/** An id is taken as it is; a policy's name stands for its newest rollout. */
async function rolloutId(api: Api, nameOrId: string): Promise<string> {
  if (isId(nameOrId)) return nameOrId;
  const [newest] = await listAll<Rollout>(api, PATH, { policy_id: await policyId(api, nameOrId) }, 1);
  if (!newest) throw new OperatorError(`${nameOrId} has had no rollout`);
  return newest.id;
}

async function policyNames(api: Api): Promise<ReadonlyMap<string, string>> {
  const policies = (await api.request("GET", "/v1/control-plane/policies")) as Policy[];
  return new Map(policies.map(({ id, name }) => [id, name]));
}

function describe(rollout: RolloutDetails, policy: string | undefined): string {
  const head = facts({
    State: stateOf(rollout),
    Policy: policy ?? "(deleted)",
    Revision: rollout.revision,
    Sites: sitesOf(rollout),
    Started: rollout.created_at,
    Ended: rollout.ended_at,
    Id: rollout.id,
  });
  const states = STATES.filter((state) => rollout.waves.some(({ sites }) => sites[state]));
  const waves = rollout.waves.map(({ number, size, sites }) => [
    number,
    size,
    ...states.map((state) => sites[state] ?? 0),
  ]);
  const problems = [...rollout.failed, ...rollout.unreachable].map((site) => [
    site.name,
    site.wave,
    site.state,
    site.reason,
  ]);
  const parts = [head, table(["wave", "size", ...states], waves)];
  if (problems.length > 0) parts.push(table(["site", "wave", "state", "reason"], problems));
  return parts.join("\n\n");
}

/** `stopped: 2 of 24 sites of wave 2 failed` */
function stateOf({ state, reason }: Rollout): string {
  const words = state.replace("_", " ");
  return reason === null ? words : `${words}: ${printable(reason)}`;
}

/** `23 verified, 2 failed, 475 waiting` */
function sitesOf({ sites }: Rollout): string {
  return STATES.filter((state) => sites[state])
    .map((state) => `${sites[state]} ${state}`)
    .join(", ");
}

/** `portreeve export`, `plan` and `apply`: policies and attachments as a file under version control. */
import { writeFile } from "node:fs/promises";
import type { ManagementNetwork, Policy, Site } from "@portreeve/api-schema";
import { confirm } from "../../confirm.ts";
import { OperatorError } from "../../errors.ts";
import { readInput } from "../../secret-input.ts";
import type { Api } from "../api.ts";
import { listAll } from "../lists.ts";
import type { Options, Run } from "../run-verb.ts";
import { compare } from "./compare.ts";
import { describePlan } from "./describe.ts";
import { readFleet } from "./fleet.ts";
import type { Current } from "./resolve.ts";
import { describeRouters, outlooks, previewRouters } from "./routers.ts";
import { send } from "./send.ts";
import { writeFleet } from "./write.ts";

/** Something would change; as `terraform plan -detailed-exitcode` has it. */
const WOULD_CHANGE = 2;

export const exportFleet: Run = async (api, _words, { output }) => {
  const current = await readCurrent(api);
  const text = writeFleet(current);
  if (typeof output !== "string") return { text: text.trimEnd() };
  try {
    await writeFile(output, text);
  } catch (error) {
    throw new OperatorError(`${output} can't be written (${(error as NodeJS.ErrnoException).code})`);
  }
  return { text: "" };
};

export const planFleet: Run = async (api, _words, options) => {
  const { comparison, current } = await compared(api, options);
  const { changes } = comparison;
  const exitCode = changes.length === 0 ? 0 : WOULD_CHANGE;
  const plan = describePlan(comparison);
  if (!options.routers) return { data: comparison, text: plan, exitCode };
  const routers = await previewRouters(api, outlooks(changes, current));
  const text = [plan, describeRouters(routers)].filter((part) => part !== "").join("\n\n");
  return { data: { ...comparison, routers }, text, exitCode };
};

export const applyFleet: Run = async (api, _words, options) => {
  const { fleet, comparison } = await compared(api, options);
  const { changes } = comparison;
  const plan = describePlan(comparison);
  if (changes.length === 0) return { data: comparison, text: plan };
  if (!options.yes) await confirm(`${plan}\nApply this?`, "give --yes to apply without being asked");
  await send(api, fleet.file, changes, options.lockOutReason);
  return { data: comparison, text: options.yes ? `${plan}\nApplied.` : "Applied." };
};

async function compared(api: Api, { file, prune }: Options) {
  const path = String(file);
  const fleet = readFleet(path === "-" ? "standard input" : path, await readInput(path));
  const current = await readCurrent(api);
  return { fleet, current, comparison: compare(fleet, current, { prune: prune === true }) };
}

async function readCurrent(api: Api): Promise<Current> {
  const policies = (await api.request("GET", "/v1/control-plane/policies")) as Policy[];
  const sites = await listAll<Site>(api, "/v1/sites");
  const path = "/v1/control-plane/management-network";
  const { network } = (await api.request("GET", path)) as ManagementNetwork;
  return { policies, sites, managementNetwork: network };
}

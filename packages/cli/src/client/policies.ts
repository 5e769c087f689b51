import { styleText } from "node:util";
import {
  type Policy,
  type PolicyPreview,
  policyInput,
  SERVICE_NAMES,
  type SitePreview,
} from "@portreeve/api-schema";
import { OperatorError } from "../errors.ts";
import { facts, printable, table } from "../print.ts";
import { readInput } from "../secret-input.ts";
import type { Api } from "./api.ts";
import { describeEffect } from "./effect.ts";
import { checked } from "./input.ts";
import { policyId, siteId } from "./lists.ts";
import type { Options, Run } from "./run-verb.ts";

const PATH = "/v1/control-plane/policies";

/** Fields of an answer that a request doesn't have. `show --json`, edited, can so be given back to `update`. */
const ANSWERED_ONLY = ["id", "slug", "default", "rollout", "sites", "warnings", "created_at", "updated_at"];

const list: Run = async (api) => {
  const data = (await api.request("GET", PATH)) as Policy[];
  const rows = data.map((policy) => [
    policy.name,
    policy.default,
    openServices(policy),
    policy.updated_at,
    policy.id,
  ]);
  return { data, text: table(["name", "default", "open services", "updated", "id"], rows) };
};

const show: Run = async (api, [name = ""]) => {
  const data = (await api.request("GET", `${PATH}/${await policyId(api, name)}`)) as Policy;
  return { data, text: describe(data) };
};

const create: Run = async (api, _words, options) => {
  const data = (await api.request("POST", PATH, await readPolicy(options))) as Policy;
  return { data, text: describe(data) };
};

const update: Run = async (api, [name = ""], options) => {
  const input = { ...(await readPolicy(options)), lock_out_reason: options.lockOutReason };
  const data = (await api.request("PUT", `${PATH}/${await policyId(api, name)}`, input)) as Policy;
  return { data, text: describe(data) };
};

const remove: Run = async (api, [name = ""]) => {
  await api.request("DELETE", `${PATH}/${await policyId(api, name)}`);
  return { text: "deleted; its sites are under the default policy now" };
};

const attach: Run = async (api, [name = "", ...names], { lockOutReason }) => {
  const id = await policyId(api, name);
  const sites = await siteIds(api, names);
  const body = { sites, lock_out_reason: lockOutReason };
  const data = (await api.request("POST", `${PATH}/${id}/sites`, body)) as Policy;
  const count = data.sites?.length ?? 0;
  return { data, text: `${printable(data.name)} now has ${count} ${count === 1 ? "site" : "sites"}` };
};

const preview: Run = async (api, [name = ""], options) => {
  const id = await policyId(api, name);
  const sites = Array.isArray(options.site) ? await siteIds(api, options.site) : undefined;
  const policy = options.file === undefined ? undefined : await readPolicy(options);
  const data = (await api.request("POST", `${PATH}/${id}/preview`, { policy, sites })) as PolicyPreview;
  const text = data.data.map(describePreview).join("\n\n\n");
  return { data, text: text || "No site is attached to this policy: nothing would change." };
};

export const policies = { list, show, create, update, delete: remove, attach, preview };

function describePreview(site: SitePreview): string {
  const effect = site.reached ? describeEffect(site) : `could not be read: ${printable(site.reason ?? "")}`;
  return `${styleText("bold", printable(site.name))}\n${effect}`;
}

async function siteIds(api: Api, names: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push(await siteId(api, name));
  return ids;
}

async function readPolicy({ file }: Options) {
  const path = String(file);
  let policy: unknown;
  try {
    policy = JSON.parse(await readInput(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new OperatorError(`${path} holds no JSON: ${error.message}`);
  }
  if (typeof policy !== "object" || policy === null) return checked(policyInput, policy);
  const fields = Object.entries(policy).filter(([name]) => !ANSWERED_ONLY.includes(name));
  return checked(policyInput, Object.fromEntries(fields));
}

function describe(policy: Policy): string {
  const head = facts({
    Name: policy.name,
    Id: policy.id,
    Slug: policy.slug,
    Default: policy.default,
    "Trusted networks": policy.trusted_networks.join(", "),
    "Custom input rules": policy.custom_input_rules,
    "Brute-force protection": policy.brute_force_protection,
    "Changes made by hand": policy.drift,
    "Management transport": policy.management_transport,
    ...(policy.rollout ? { Rollout: `${policy.rollout.state}, ${policy.rollout.id}` } : {}),
    ...(policy.warnings ? { Warnings: policy.warnings.join("; ") } : {}),
  });
  const services = SERVICE_NAMES.map((name) => {
    const { enabled, port, networks } = policy[name];
    const from = networks?.length ? networks.join(", ") : "trusted networks";
    return [name, enabled ? "open" : "closed", port, enabled ? from : null];
  });
  return `${head}\n\n${table(["service", "state", "port", "from"], services)}`;
}

function openServices(policy: Policy): string {
  return SERVICE_NAMES.filter((name) => policy[name].enabled)
    .map((name) => `${name} ${policy[name].port}`)
    .join(", ");
}

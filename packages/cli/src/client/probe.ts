import type { ExposureCheck, Site } from "@portreeve/api-schema";
import { OperatorError } from "../errors.ts";
import { printable, table } from "../print.ts";
import type { Api } from "./api.ts";
import { listAll } from "./lists.ts";
import type { Run } from "./run-verb.ts";

/** Something is open against its policy. */
const EXPOSED = 2;

const FINDINGS: Readonly<Record<string, string>> = {
  open_against_policy: "OPEN AGAINST POLICY",
  open_as_policy_says: "as the policy says",
};

/** Look at one of the customer's own sites from outside; the server looks at no other. */
export const probe: Run = async (api, [host = ""]) => {
  const site = await siteAt(api, host);
  const data = (await api.request("POST", `/v1/sites/${site.id}/exposure`)) as ExposureCheck;
  const exitCode = data.open_against_policy > 0 ? EXPOSED : 0;
  return { data, text: describe(site, data), exitCode };
};

/** @throws OperatorError none of the customer's sites has this address, name or id, or several have */
async function siteAt(api: Api, host: string): Promise<Site> {
  const wanted = host.toLowerCase();
  const found = (await listAll<Site>(api, "/v1/sites")).filter(({ id, name, address }) =>
    [id, name.toLowerCase(), address.toLowerCase()].includes(wanted),
  );
  const [site, ...more] = found;
  if (!site) {
    const what = "is not the address, name or id of one of your sites";
    throw new OperatorError(`${host} ${what}; only those can be probed (portreeve sites list)`);
  }
  if (more.length === 0) return site;
  const ids = found.map(({ id }) => id).join(", ");
  throw new OperatorError(`${found.length} sites are at ${host}; name one by its id: ${ids}`);
}

function describe(site: Site, check: ExposureCheck): string {
  const { address, from_address: from, policy, open_against_policy: exposed } = check;
  const head = `${site.name} (${address}), seen from ${from}, under policy ${policy.name}`;
  const rows = check.ports.map(({ port, service, state, software, version, finding, answer, reason }) => [
    port,
    service,
    state,
    software === "routeros" && version ? `routeros ${version}` : software,
    finding === null ? null : (FINDINGS[finding] ?? finding),
    reason,
    answer,
  ]);
  const lines = table(["port", "service", "state", "software", "finding", "policy", "answer"], rows);
  return [printable(head), "", lines, "", verdict(check.answered, exposed)].join("\n");
}

function verdict(answered: boolean, exposed: number): string {
  if (!answered) return "No port answered, so nothing is known. Is the site up and reachable?";
  if (exposed === 0) return "Nothing is open against the policy.";
  return `${exposed} ${exposed === 1 ? "port is" : "ports are"} open against the policy.`;
}

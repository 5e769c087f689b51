/** A Portreeve's policies and attachments as a fleet file: stable in order, so that two exports differ where they do. */
import { type Policy, SERVICE_NAMES, type Service, type Site } from "@portreeve/api-schema";
import { Document, type Scalar, type YAMLMap } from "yaml";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../print.ts";
import { inputOf } from "./differences.ts";
import type { Current } from "./resolve.ts";

const HEAD = ` Policies of a Portreeve and the sites under them.
 
   portreeve plan -f FILE    what applying this file would change
   portreeve apply -f FILE   change it
 
 A policy's key is its name. All eight services have to be there. Optional, with what a new policy gets:
   trusted_networks        who may reach an enabled service without networks; the private IPv4 networks
   custom_input_rules      true
   brute_force_protection  false
   drift                   repair: what somebody changes on a router by hand is undone; or report
   management_transport    api
   default                 true in the one policy that sites start under
   sites                   names of the sites to move under the policy; a site that is in no list stays where it is`;

/**
 * @throws OperatorError two policies, or two sites, have one name
 */
export function writeFleet({ policies, sites }: Pick<Current, "policies" | "sites">): string {
  const staying = sites.filter(({ status }) => status !== "deleting");
  refuseNamesakes(policies, "policies", ({ slug }) => `portreeve policies update ${slug} -f FILE`);
  refuseNamesakes(staying, "sites", ({ id }) => `portreeve sites rename ${id} NAME`);
  const sorted = policies.toSorted(
    (a, b) => Number(b.default) - Number(a.default) || (a.name < b.name ? -1 : 1),
  );
  const entries = sorted.map((policy) => [policy.name, fieldsOf(policy, staying)] as const);
  const document = new Document({ policies: new Map(entries) }, { aliasDuplicateObjects: false });
  document.commentBefore = HEAD;
  layOut(document.get("policies") as YAMLMap<Scalar, YAMLMap>);
  return document.toString({ lineWidth: 0 });
}

function fieldsOf(policy: Policy, sites: readonly Site[]): Record<string, unknown> {
  const { name: _key, ...input } = inputOf(policy);
  const attached = sites.filter((site) => site.policy_id === policy.id).map(({ name }) => name);
  return { ...(policy.default ? { default: true } : {}), ...input, sites: attached.sort() };
}

/** An empty line between policies, a service without networks on one line. */
function layOut(policies: YAMLMap<Scalar, YAMLMap>): void {
  for (const [index, { key, value: fields }] of policies.items.entries()) {
    key.spaceBefore = index > 0;
    // A plain << would merge, a plain ~ is nothing; quotes keep any name a name.
    if (!/^[\w -]+$/.test(key.value as string)) key.type = "QUOTE_DOUBLE";
    for (const name of SERVICE_NAMES) {
      const service = fields?.get(name) as YAMLMap;
      service.flow = !(service.toJSON() as Service).networks?.length;
    }
  }
}

function refuseNamesakes<Named extends { readonly name: string }>(
  all: readonly Named[],
  kind: string,
  remedy: (one: Named) => string,
): void {
  for (const [name, namesakes] of Map.groupBy(all, (one) => one.name)) {
    const [first, ...more] = namesakes;
    if (first && more.length > 0) {
      const count = more.length + 1;
      const what = `${count} ${kind} are called ${printable(name)}`;
      throw new OperatorError(`${what}; give one another name: ${remedy(first)}`);
    }
  }
}

/** Reading whole lists, and finding one thing in them by its name. */
import type { Policy, Site } from "@portreeve/api-schema";
import { OperatorError } from "../errors.ts";
import type { Api } from "./api.ts";
import { query } from "./input.ts";
import type { Options } from "./run-verb.ts";

/** The most the API answers at once. */
const PAGE = 200;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface Page<Item> {
  readonly data: readonly Item[];
  readonly next_cursor: string | null;
}

/** Read a list page by page. @param most how many items at most */
export async function listAll<Item>(
  api: Api,
  path: string,
  filters: Options = {},
  most = Number.POSITIVE_INFINITY,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(PAGE, most - items.length);
    const page = (await api.request("GET", `${path}${query({ ...filters, limit, cursor })}`)) as Page<Item>;
    items.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items;
}

export function isId(text: string): boolean {
  return UUID.test(text);
}

/** The id of the site called so; an id is taken as it is. */
export async function siteId(api: Api, nameOrId: string): Promise<string> {
  if (isId(nameOrId)) return nameOrId;
  return theOne("site", nameOrId, await listAll<Site>(api, "/v1/sites"));
}

/** The id of the policy called so, by name or slug; an id is taken as it is. */
export async function policyId(api: Api, nameOrId: string): Promise<string> {
  if (isId(nameOrId)) return nameOrId;
  const policies = (await api.request("GET", "/v1/control-plane/policies")) as Policy[];
  const bySlug = policies.find(({ slug }) => slug === nameOrId);
  return bySlug?.id ?? theOne("policy", nameOrId, policies);
}

function theOne(kind: string, name: string, all: readonly { id: string; name: string }[]): string {
  const found = all.filter((one) => one.name === name);
  if (found.length === 1 && found[0]) return found[0].id;
  const plural = kind === "policy" ? "policies" : `${kind}s`;
  if (found.length === 0) {
    throw new OperatorError(`no ${kind} is called ${name}; portreeve ${plural} list shows them`);
  }
  const ids = found.map(({ id }) => id).join(", ");
  throw new OperatorError(`${found.length} ${plural} are called ${name}; name one by its id: ${ids}`);
}

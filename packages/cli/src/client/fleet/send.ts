/** Makes the changes of a comparison, in order, and stops at the first that is refused. */
import type { Policy } from "@portreeve/api-schema";
import { explain, OperatorError } from "../../errors.ts";
import { printable } from "../../print.ts";
import { type Api, ProblemError } from "../api.ts";
import type { Options } from "../run-verb.ts";
import type { Change } from "./compare.ts";
import { headline } from "./describe.ts";
import type { FleetFile, Path, Problem } from "./file.ts";
import { pathOf } from "./fleet.ts";

const PATH = "/v1/control-plane/policies";

/**
 * @param file where refused fields are looked up
 * @param lockOutReason why the caller's own access may be ended, if it may
 * @throws OperatorError a change was refused or not answered, with the line to look at and what was done before it; nothing after it
 *   was sent
 */
export async function send(
  api: Api,
  file: FleetFile,
  changes: readonly Change[],
  lockOutReason: Options[string],
): Promise<void> {
  const created = new Map<string, string>();
  for (const [index, change] of changes.entries()) {
    try {
      await sendOne(api, change, created, { lock_out_reason: lockOutReason });
    } catch (error) {
      const done = changes.slice(0, index).map((one) => `  done before: ${printable(headline(one))}`);
      throw new OperatorError([refusal(error, change, file), ...done].join("\n"), { cause: error });
    }
  }
}

/** @param created ids of the policies made so far, by their keys in the file */
async function sendOne(
  api: Api,
  change: Change,
  created: Map<string, string>,
  confirmation: { readonly lock_out_reason: Options[string] },
): Promise<void> {
  switch (change.kind) {
    case "create": {
      const policy = (await api.request("POST", PATH, change.input)) as Policy;
      created.set(change.key, policy.id);
      return;
    }
    case "change":
      await api.request("PUT", `${PATH}/${change.id}`, { ...change.input, ...confirmation });
      return;
    case "move": {
      const id = change.id ?? created.get(change.key);
      const sites = change.sites.map((site) => site.id);
      await api.request("POST", `${PATH}/${id}/sites`, { sites, ...confirmation });
      return;
    }
    case "delete":
      await api.request("DELETE", `${PATH}/${change.id}`);
  }
}

function refusal(error: unknown, change: Change, file: FleetFile): string {
  if (!(error instanceof ProblemError)) {
    return `${printable(headline(change))}: ${explain(error)}; portreeve plan tells whether it happened`;
  }
  if (change.kind === "delete") return `${printable(headline(change))}: ${error.message}`;
  const problems = Object.entries(error.errors).flatMap(([field, messages]) =>
    messages.map((message): Problem => ({ path: placeOf(field, change), message })),
  );
  const [first = { path: pathOf(change), message: error.message }, ...more] = problems;
  return file.refuse([first, ...more]).message;
}

/** `ssh.networks.0` of a policy's request, or `sites.3` of an attachment's, as the path in the file. */
function placeOf(field: string, change: Exclude<Change, { kind: "delete" }>): Path {
  const parts = field.split(".");
  if (change.kind !== "move" || parts[0] !== "sites") return pathOf(change, ...parts);
  const site = change.sites[Number(parts[1])];
  return pathOf(change, "sites", ...(site ? [site.index] : []));
}

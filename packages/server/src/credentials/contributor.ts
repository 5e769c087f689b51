import type { Contributor } from "../reconcile/index.ts";
import { desired } from "./desired.ts";

/** Our API user and its group, for the reconciler. Its password is never part of a plan: rotation sets and proves it. */
export function credentialContributor(username: string): Contributor<undefined> {
  return {
    name: "credentials",
    load: async () => undefined,
    desired: (_facts, router) => desired(username, undefined, router),
  };
}

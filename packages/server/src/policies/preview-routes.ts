import { idParams, plan, policyPreview, previewInput } from "@portreeve/api-schema";
import { requireScope } from "../authorization/index.ts";
import { type Route, readingPost, route } from "../kernel/route.ts";
import { askRouter } from "../sites/index.ts";
import type { PlanPreview } from "./preview.ts";
import { previewEach } from "./preview-each.ts";
import type { PolicyService } from "./service.ts";

/** What would happen: to one site under its own policy, and to the sites of a policy. Both only read. */
export function previewRoutes(policies: PolicyService, preview: PlanPreview): Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/sites/:id/plan",
      scope: "sites:read",
      tag: "Sites",
      summary: "What would change on the router now, and who would have access then",
      input: { params: idParams },
      output: plan,
      run: async ({ caller, params, signal, read }) => {
        const target = await read((trx) => policies.previewedSite(trx, params.id));
        return askRouter(preview(target, caller.address, signal));
      },
    }),
    readingPost({
      path: "/v1/control-plane/policies/:id/preview",
      scope: "policies:read",
      tag: "Policies",
      summary: "What a policy, or a draft of it, would change on its sites; needs sites:read too",
      input: { params: idParams, body: previewInput },
      output: policyPreview,
      run: async ({ caller, params, body, signal, read }) => {
        const targets = await read((trx) => policies.previewed(trx, params.id, body));
        requireScope(caller, "sites:read");
        return { data: await previewEach(preview, targets, caller.address, signal) };
      },
    }),
  ];
}

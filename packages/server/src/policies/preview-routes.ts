import { idParams, plan, policyPreview, previewInput } from "@portreeve/api-schema";
import { InsufficientScopeError } from "../authorization/index.ts";
import { type HttpModule, read } from "../http/index.ts";
import { askRouter } from "../sites/index.ts";
import type { PolicyPreviews } from "./preview.ts";
import type { PolicyService } from "./service.ts";

/** What would happen: to one site under its own policy, and to the sites of a policy. Both only read. */
export function previewRoutes(policies: PolicyService, previews: PolicyPreviews): HttpModule {
  return (app) => {
    app.get(
      "/v1/sites/:id/plan",
      {
        config: { scope: "sites:read" },
        schema: {
          tags: ["Sites"],
          summary: "What would be changed on the router now, and who could get in then",
          params: idParams,
          response: { 200: plan },
        },
      },
      async (request) => {
        const target = await read(request, (trx) => policies.previewedSite(trx, request.params.id));
        return askRouter(previews.plan(target, request.caller.address, request.signal));
      },
    );
    app.post(
      "/v1/control-plane/policies/:id/preview",
      {
        config: { scope: "policies:read" },
        schema: {
          tags: ["Policies"],
          summary: "What a policy, or a draft of it, would do to its sites; needs sites:read too",
          params: idParams,
          body: previewInput,
          response: { 200: policyPreview },
        },
      },
      async (request) => {
        const { params, body, caller, signal } = request;
        const targets = await read(request, (trx) => policies.previewed(trx, params.id, body));
        if (!caller.scopes.has("sites:read")) throw new InsufficientScopeError("sites:read");
        return { data: await previews.each(targets, caller.address, signal) };
      },
    );
  };
}

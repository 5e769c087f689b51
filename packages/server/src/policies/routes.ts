import {
  attachSites,
  idParams,
  managementNetwork,
  policy,
  policyChange,
  policyInput,
} from "@portreeve/api-schema";
import { z } from "zod";
import { type HttpModule, mutate, read } from "../http/index.ts";
import { presentPolicy } from "./present.ts";
import type { PolicyService } from "./service.ts";
import { listPolicies } from "./store.ts";

const BASE = "/v1/control-plane/policies";
const tags = ["Policies"];

export function policyRoutes(policies: PolicyService): HttpModule {
  return (app) => {
    app.get(
      BASE,
      {
        config: { scope: "policies:read" },
        schema: { tags, summary: "List policies", response: { 200: z.array(policy) } },
      },
      (request) => read(request, async (trx) => (await listPolicies(trx)).map((row) => presentPolicy(row))),
    );
    app.get(
      "/v1/control-plane/management-network",
      {
        config: { scope: "policies:read" },
        schema: {
          tags,
          summary: "The network that routers see Portreeve come from",
          response: { 200: managementNetwork },
        },
      },
      async () => ({ network: policies.managementNetwork }),
    );
    app.post(
      BASE,
      {
        config: { scope: "policies:write" },
        schema: { tags, summary: "Create a policy", body: policyInput, response: { 201: policy } },
      },
      (request, reply) =>
        mutate(request, reply, { status: 201 }, async (trx) =>
          presentPolicy(await policies.create(trx, request.caller, request.body)),
        ),
    );
    app.get(
      `${BASE}/:id`,
      {
        config: { scope: "policies:read" },
        schema: { tags, summary: "Show a policy", params: idParams, response: { 200: policy } },
      },
      (request) => read(request, async (trx) => presentPolicy(await policies.get(trx, request.params.id))),
    );
    app.put(
      `${BASE}/:id`,
      {
        config: { scope: "policies:write" },
        schema: {
          tags,
          summary: "Change a policy",
          params: idParams,
          body: policyChange,
          response: { 200: policy },
        },
      },
      (request, reply) =>
        mutate(request, reply, { status: 200 }, async (trx) =>
          presentPolicy(await policies.update(trx, request.caller, request.params.id, request.body)),
        ),
    );
    // The second path is the one the API's document uses in its example.
    for (const url of [`${BASE}/:id`, "/v1/policies/:id"]) {
      app.delete(
        url,
        {
          config: { scope: "policies:write" },
          schema: { tags, summary: "Delete a policy", params: idParams, response: { 204: z.null() } },
        },
        (request, reply) =>
          mutate(request, reply, { status: 204 }, (trx) =>
            policies.remove(trx, request.caller, request.params.id),
          ),
      );
    }
    for (const method of ["POST", "PUT"] as const) {
      app.route({
        method,
        url: `${BASE}/:id/sites`,
        config: { scope: "policies:write" },
        schema: {
          tags,
          summary: "Attach sites to a policy",
          params: idParams,
          body: attachSites,
          response: { 200: policy },
        },
        handler: (request, reply) =>
          mutate(request, reply, { status: 200 }, async (trx) => {
            const attached = await policies.attach(trx, request.caller, request.params.id, request.body);
            return presentPolicy(attached.policy, attached.sites);
          }),
      });
    }
  };
}

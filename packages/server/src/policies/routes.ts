import {
  attachSites,
  idParams,
  managementNetwork,
  policy,
  policyChange,
  policyInput,
} from "@portreeve/api-schema";
import { z } from "zod";
import { type Route, route } from "../kernel/route.ts";
import { presentPolicy } from "./present.ts";
import type { PolicyService } from "./service.ts";
import { listPolicies } from "./store.ts";

const BASE = "/v1/control-plane/policies";
const tag = "Policies";

export function policyRoutes(policies: PolicyService): Route[] {
  return [
    route({
      method: "GET",
      path: BASE,
      scope: "policies:read",
      tag,
      summary: "List policies",
      output: z.array(policy),
      run: ({ read }) => read(async (trx) => (await listPolicies(trx)).map((row) => presentPolicy(row))),
    }),
    route({
      method: "GET",
      path: "/v1/control-plane/management-network",
      scope: "policies:read",
      tag,
      summary: "The network that routers see Portreeve come from",
      output: managementNetwork,
      run: async () => ({ network: policies.managementNetwork }),
    }),
    route({
      method: "POST",
      path: BASE,
      scope: "policies:write",
      tag,
      summary: "Create a policy",
      input: { body: policyInput },
      output: policy,
      status: 201,
      run: ({ caller, body, mutate }) =>
        mutate(async (trx) => presentPolicy(await policies.create(trx, caller, body))),
    }),
    route({
      method: "GET",
      path: `${BASE}/:id`,
      scope: "policies:read",
      tag,
      summary: "Show a policy",
      input: { params: idParams },
      output: policy,
      run: ({ params, read }) => read(async (trx) => presentPolicy(await policies.get(trx, params.id))),
    }),
    route({
      method: "PUT",
      path: `${BASE}/:id`,
      scope: "policies:write",
      tag,
      summary: "Change a policy",
      input: { params: idParams, body: policyChange },
      output: policy,
      run: ({ caller, params, body, mutate }) =>
        mutate(async (trx) => presentPolicy(await policies.update(trx, caller, params.id, body))),
    }),
    // The second path is the one the API's document uses in its example.
    ...([`${BASE}/:id`, "/v1/policies/:id"] as const).map((path) =>
      route({
        method: "DELETE",
        path,
        scope: "policies:write",
        tag,
        summary: "Delete a policy",
        input: { params: idParams },
        status: 204,
        run: ({ caller, params, mutate }) => mutate((trx) => policies.remove(trx, caller, params.id)),
      }),
    ),
    ...(["POST", "PUT"] as const).map((method) =>
      route({
        method,
        path: `${BASE}/:id/sites`,
        scope: "policies:write",
        tag,
        summary: "Attach sites to a policy",
        input: { params: idParams, body: attachSites },
        output: policy,
        run: ({ caller, params, body, mutate }) =>
          mutate(async (trx) => {
            const attached = await policies.attach(trx, caller, params.id, body);
            return presentPolicy(attached.policy, attached.sites);
          }),
      }),
    ),
  ];
}

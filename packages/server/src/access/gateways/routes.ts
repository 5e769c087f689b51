import { createdGateway, gatewayInput, gatewayList, idParams } from "@portreeve/api-schema";
import { type Route, route } from "../../kernel/route.ts";
import { addGateway, listGateways, removeGateway } from "./service.ts";

const tag = "gateways";

/** For the customer who runs the installation. */
export function gatewayRoutes(): Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/gateways",
      scope: "gateways:read",
      tag,
      summary: "List gateways",
      output: gatewayList,
      run: ({ read }) => read(async (trx) => ({ data: await listGateways(trx), next_cursor: null })),
    }),
    route({
      method: "POST",
      path: "/v1/gateways",
      scope: "gateways:write",
      tag,
      summary: "Add a gateway; the answer is the only one that shows its token",
      input: { body: gatewayInput },
      output: createdGateway,
      status: 201,
      run: ({ caller, body, mutate }) =>
        mutate(async (trx) => {
          const { gateway, token } = await addGateway(trx, caller, body);
          return { ...gateway, token: token.reveal() };
        }),
    }),
    route({
      method: "DELETE",
      path: "/v1/gateways/:id",
      scope: "gateways:write",
      tag,
      summary: "Remove a gateway",
      input: { params: idParams },
      status: 204,
      run: ({ caller, params, mutate }) => mutate((trx) => removeGateway(trx, caller, params.id)),
    }),
  ];
}

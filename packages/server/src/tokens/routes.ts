import { createdToken, idParams, listQuery, tokenInput, tokenList } from "@portreeve/api-schema";
import { pageOf, readCursor, timeAndId } from "../kernel/page.ts";
import { type Route, route } from "../kernel/route.ts";
import { createToken, endToken } from "./service.ts";
import { listTokens, presentToken } from "./store.ts";

const tag = "tokens";

export function tokenRoutes(): Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/tokens",
      scope: "tokens:read",
      tag,
      summary: "List tokens, newest first",
      input: { query: listQuery },
      output: tokenList,
      run: async ({ query: { limit, cursor }, read }) => {
        const before = readCursor(cursor, timeAndId);
        const rows = await read((trx) => listTokens(trx, { limit: limit + 1, before }));
        return pageOf(rows, limit, (row) => [row.position, row.id], presentToken);
      },
    }),
    route({
      method: "POST",
      path: "/v1/tokens",
      scope: "tokens:write",
      tag,
      summary: "Create a token; only this answer shows it",
      input: { body: tokenInput },
      output: createdToken,
      status: 201,
      run: ({ caller, body, mutate }) =>
        mutate(async (trx) => {
          const { row, token } = await createToken(trx, caller, body);
          return { ...presentToken(row), token: token.reveal() };
        }),
    }),
    route({
      method: "DELETE",
      path: "/v1/tokens/:id",
      scope: "tokens:write",
      tag,
      summary: "Revoke a token",
      input: { params: idParams },
      status: 204,
      run: ({ caller, params, mutate }) => mutate((trx) => endToken(trx, caller, params.id)),
    }),
  ];
}

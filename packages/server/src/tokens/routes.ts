import { createdToken, idParams, listQuery, tokenInput, tokenList } from "@portreeve/api-schema";
import { z } from "zod";
import type { Database } from "../database/index.ts";
import { type HttpModule, mutate } from "../http/index.ts";
import { pageOf, readCursor, timeAndId } from "../kernel/page.ts";
import { createToken, endToken } from "./service.ts";
import { listTokens, presentToken } from "./store.ts";

const tags = ["tokens"];

/** `GET POST /v1/tokens`, `DELETE /v1/tokens/{id}`. */
export function tokenRoutes({ database }: { database: Database }): HttpModule {
  return (app) => {
    app.get(
      "/v1/tokens",
      {
        config: { scope: "tokens:read" },
        schema: {
          tags,
          summary: "List tokens, newest first",
          querystring: listQuery,
          response: { 200: tokenList },
        },
      },
      async (request) => {
        const { limit, cursor } = request.query;
        const before = readCursor(cursor, timeAndId);
        const rows = await database.asCustomer(request.caller.customerId, (trx) =>
          listTokens(trx, { limit: limit + 1, before }),
        );
        return pageOf(rows, limit, (row) => [row.position, row.id], presentToken);
      },
    );

    app.post(
      "/v1/tokens",
      {
        config: { scope: "tokens:write" },
        schema: {
          tags,
          summary: "Make a token; the answer is the only one that shows it",
          body: tokenInput,
          response: { 201: createdToken },
        },
      },
      (request, reply) =>
        mutate(request, reply, { status: 201 }, async (trx) => {
          const { row, token } = await createToken(trx, request.caller, request.body);
          return { ...presentToken(row), token: token.reveal() };
        }),
    );

    app.delete(
      "/v1/tokens/:id",
      {
        config: { scope: "tokens:write" },
        schema: { tags, summary: "Revoke a token", params: idParams, response: { 204: z.undefined() } },
      },
      (request, reply) =>
        mutate(request, reply, { status: 204 }, (trx) => endToken(trx, request.caller, request.params.id)),
    );
  };
}

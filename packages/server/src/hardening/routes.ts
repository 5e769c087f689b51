import { enforcedFixes, fixParams, hardeningFixes, hardeningReport, idParams } from "@portreeve/api-schema";
import { type HttpModule, mutate, read } from "../http/index.ts";
import { askRouter } from "../sites/index.ts";
import type { HardeningService } from "./service.ts";

const tags = ["Hardening"];
const BASE = "/v1/sites/:id/hardening";

export function hardeningRoutes(hardening: HardeningService): HttpModule {
  return (app) => {
    app.get(
      BASE,
      {
        config: { scope: "sites:read" },
        schema: {
          tags,
          summary: "How hard the router is to break into, read from it now",
          params: idParams,
          response: { 200: hardeningReport },
        },
      },
      async (request) => {
        const intent = await read(request, (trx) => hardening.intent(trx, request.params.id));
        return askRouter(hardening.report(intent, request.signal));
      },
    );
    app.post(
      BASE,
      {
        config: { scope: "sites:write" },
        schema: {
          tags,
          summary: "Fix findings, and keep them fixed",
          params: idParams,
          body: hardeningFixes,
          response: { 202: enforcedFixes },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const intent = await read(request, (trx) => hardening.intent(trx, id));
        const report = askRouter(hardening.report(intent, request.signal));
        // Asked before the transaction, and evaluated in it: a repeated request is answered from the first one's answer,
        // whatever the router says by now.
        await Promise.allSettled([report]);
        return mutate(request, reply, { status: 202 }, async (trx) =>
          hardening.choose(trx, request.caller, id, { fixes: request.body.fixes, report: await report }),
        );
      },
    );
    app.delete(
      `${BASE}/:fix`,
      {
        config: { scope: "sites:write" },
        schema: {
          tags,
          summary: "Stop keeping a fix; the router stays as it is",
          params: fixParams,
          response: { 200: enforcedFixes },
        },
      },
      (request, reply) =>
        mutate(request, reply, { status: 200 }, (trx) =>
          hardening.stop(trx, request.caller, request.params.id, request.params.fix),
        ),
    );
  };
}

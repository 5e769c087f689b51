import { enforcedFixes, fixParams, hardeningFixes, hardeningReport, idParams } from "@portreeve/api-schema";
import { type Route, route } from "../kernel/route.ts";
import { askRouter } from "../sites/index.ts";
import type { HardeningService } from "./service.ts";

const tag = "Hardening";
const BASE = "/v1/sites/:id/hardening";

export function hardeningRoutes(hardening: HardeningService): Route[] {
  return [
    route({
      method: "GET",
      path: BASE,
      scope: "sites:read",
      tag,
      summary: "The hardening report of the router, read from it now",
      input: { params: idParams },
      output: hardeningReport,
      run: async ({ params, signal, read }) => {
        const intent = await read((trx) => hardening.intent(trx, params.id));
        return askRouter(hardening.report(intent, signal));
      },
    }),
    route({
      method: "POST",
      path: BASE,
      scope: "sites:write",
      tag,
      summary: "Fix findings, and keep them fixed",
      input: { params: idParams, body: hardeningFixes },
      output: enforcedFixes,
      status: 202,
      run: async ({ caller, params: { id }, body: { fixes }, signal, read, mutate }) => {
        const intent = await read((trx) => hardening.intent(trx, id));
        const report = askRouter(hardening.report(intent, signal));
        // Asked before the transaction, and evaluated in it: a repeated request is answered from the first one's
        // answer, whatever the router says by now.
        await Promise.allSettled([report]);
        return mutate(async (trx) => hardening.choose(trx, caller, id, { fixes, report: await report }));
      },
    }),
    route({
      method: "DELETE",
      path: `${BASE}/:fix`,
      scope: "sites:write",
      tag,
      summary: "Stop keeping a fix; the router stays as it is",
      input: { params: fixParams },
      output: enforcedFixes,
      run: ({ caller, params, mutate }) =>
        mutate((trx) => hardening.stop(trx, caller, params.id, params.fix)),
    }),
  ];
}

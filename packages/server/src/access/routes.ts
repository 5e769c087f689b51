import { reveal, siteParams, transientAccess, transientAccessInput, uuidParam } from "@portreeve/api-schema";
import { z } from "zod";
import { endingDelete, type Route, route } from "../kernel/route.ts";
import { presentGrant } from "./present.ts";
import { type RevokeOptions, revokeAccess } from "./revoke.ts";
import type { RevealedGrant } from "./service.ts";
import type { GrantRow } from "./store.ts";

const BASE = "/v1/control-plane/:site/transient-access";
const tag = "Transient access";
const grantParams = siteParams.extend({ id: uuidParam });
const listQuery = z.strictObject({
  include: z.enum(["expired"]).optional().describe("expired: ended ones too"),
  reveal,
});

export function transientAccessRoutes(options: RevokeOptions): Route[] {
  const { access, control } = options;
  const present = ({ grant, password }: RevealedGrant) => presentGrant(grant, password);
  return [
    route({
      method: "GET",
      path: BASE,
      scope: "access:read",
      tag,
      summary: "List the site's current access",
      input: { params: siteParams, query: listQuery },
      output: z.array(transientAccess),
      run: ({ caller, params, query, readRecorded }) => {
        const wanted = { ended: query.include === "expired", reveal: query.reveal === "true" };
        return readRecorded(async (trx) =>
          (await access.list(trx, caller, params.site, wanted)).map(present),
        );
      },
    }),
    route({
      method: "POST",
      path: BASE,
      scope: "access:open",
      tag,
      summary: "Open access",
      input: { params: siteParams, body: transientAccessInput },
      output: transientAccess,
      status: 201,
      run: ({ caller, params, body, mutate }) => {
        let opened: GrantRow | undefined;
        return mutate(
          async (trx) => {
            const revealed = await access.open(trx, caller, params.site, body);
            opened = revealed.grant;
            return present(revealed);
          },
          // Whoever reads the answer can connect at once.
          async () => {
            if (opened) await control.opened(opened.id, opened.gateway_id);
          },
        );
      },
    }),
    route({
      method: "GET",
      path: `${BASE}/:id`,
      scope: "access:read",
      tag,
      summary: "Show one access",
      input: { params: grantParams },
      output: transientAccess,
      run: ({ caller, params, readRecorded }) =>
        readRecorded(async (trx) => present(await access.get(trx, caller, params.site, params.id))),
    }),
    endingDelete({
      path: `${BASE}/:id`,
      scope: "access:revoke",
      tag,
      summary: "Revoke access",
      input: { params: grantParams },
      // Ending an access must not depend on the database: see `revoke.ts`.
      withoutDatabase: true,
      run: ({ caller, params }) => revokeAccess(options, caller, params.site, params.id),
    }),
  ];
}

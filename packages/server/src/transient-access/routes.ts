import { reveal, siteParams, transientAccess, transientAccessInput, uuidParam } from "@portreeve/api-schema";
import { z } from "zod";
import { type Route, route } from "../kernel/route.ts";
import { presentGrant } from "./present.ts";
import type { RevealedGrant, TransientAccessService } from "./service.ts";

const BASE = "/v1/control-plane/:site/transient-access";
const tag = "Transient access";
const grantParams = siteParams.extend({ id: uuidParam });
const listQuery = z.strictObject({
  include: z.enum(["expired"]).optional().describe("expired: ended ones too"),
  reveal,
});

export interface TransientAccessRouteOptions {
  readonly access: TransientAccessService;
  /** The host name people connect to. */
  readonly entryPoint: string;
  /** Resolves when a grant's port is open, so that whoever reads the answer can connect at once. */
  readonly opened: (grantId: string) => Promise<void>;
  /** Resolves when a grant's port is closed, so that a revocation that was answered has happened. */
  readonly closed: (grantId: string) => Promise<void>;
}

export function transientAccessRoutes({
  access,
  entryPoint,
  opened,
  closed,
}: TransientAccessRouteOptions): Route[] {
  const present = ({ grant, password }: RevealedGrant) => presentGrant(grant, password, entryPoint);
  return [
    route({
      method: "GET",
      path: BASE,
      scope: "access:read",
      tag,
      summary: "List the site's current access",
      input: { params: siteParams, query: listQuery },
      output: z.array(transientAccess),
      run: ({ caller, params, query, read }) => {
        const options = { ended: query.include === "expired", reveal: query.reveal === "true" };
        return read(async (trx) => (await access.list(trx, caller, params.site, options)).map(present));
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
        let id = "";
        return mutate(
          async (trx) => {
            const revealed = await access.open(trx, caller, params.site, body);
            id = revealed.grant.id;
            return present(revealed);
          },
          () => opened(id),
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
      run: ({ caller, params, read }) =>
        read(async (trx) => present(await access.get(trx, caller, params.site, params.id))),
    }),
    route({
      method: "DELETE",
      path: `${BASE}/:id`,
      scope: "access:revoke",
      tag,
      summary: "Revoke access",
      input: { params: grantParams },
      status: 204,
      run: ({ caller, params: { site, id }, mutate }) => {
        let ended = false;
        return mutate(
          async (trx) => {
            ended = await access.revoke(trx, caller, site, id);
          },
          async () => {
            if (ended) await closed(id);
          },
        );
      },
    }),
  ];
}

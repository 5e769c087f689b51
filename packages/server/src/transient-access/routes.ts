import { reveal, siteParams, transientAccess, transientAccessInput, uuidParam } from "@portreeve/api-schema";
import { z } from "zod";
import { type HttpModule, mutate, noStore, readRecorded } from "../http/index.ts";
import { presentGrant } from "./present.ts";
import type { RevealedGrant, TransientAccessService } from "./service.ts";

const BASE = "/v1/control-plane/:site/transient-access";
const tags = ["Transient access"];
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
}: TransientAccessRouteOptions): HttpModule {
  const present = ({ grant, password }: RevealedGrant) => presentGrant(grant, password, entryPoint);
  return (app) => {
    app.get(
      BASE,
      {
        config: { scope: "access:read" },
        schema: {
          tags,
          summary: "List the site's current access",
          params: siteParams,
          querystring: listQuery,
          response: { 200: z.array(transientAccess) },
        },
      },
      (request, reply) => {
        noStore(reply);
        const options = {
          ended: request.query.include === "expired",
          reveal: request.query.reveal === "true",
        };
        return readRecorded(request, async (trx) =>
          (await access.list(trx, request.caller, request.params.site, options)).map(present),
        );
      },
    );
    app.post(
      BASE,
      {
        config: { scope: "access:open" },
        schema: {
          tags,
          summary: "Open access",
          params: siteParams,
          body: transientAccessInput,
          response: { 201: transientAccess },
        },
      },
      (request, reply) => {
        noStore(reply);
        let id = "";
        return mutate(request, reply, { status: 201, settled: () => opened(id) }, async (trx) => {
          const revealed = await access.open(trx, request.caller, request.params.site, request.body);
          id = revealed.grant.id;
          return present(revealed);
        });
      },
    );
    app.get(
      `${BASE}/:id`,
      {
        config: { scope: "access:read" },
        schema: { tags, summary: "Show one access", params: grantParams, response: { 200: transientAccess } },
      },
      (request, reply) => {
        noStore(reply);
        return readRecorded(request, async (trx) =>
          present(await access.get(trx, request.caller, request.params.site, request.params.id)),
        );
      },
    );
    app.delete(
      `${BASE}/:id`,
      {
        config: { scope: "access:revoke" },
        schema: { tags, summary: "Revoke access", params: grantParams, response: { 204: z.null() } },
      },
      (request, reply) => {
        const { site, id } = request.params;
        let ended = false;
        const settled = async () => {
          if (ended) await closed(id);
        };
        return mutate(request, reply, { status: 204, settled }, async (trx) => {
          ended = await access.revoke(trx, request.caller, site, id);
          return null;
        });
      },
    );
  };
}

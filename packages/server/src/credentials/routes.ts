import { credential, reveal, siteParams } from "@portreeve/api-schema";
import { z } from "zod";
import { type HttpModule, mutate, noStore, readRecorded } from "../http/index.ts";
import { presentCredential } from "./present.ts";
import type { CredentialService } from "./service.ts";

const PATH = "/v1/control-plane/:site/credentials";
const tags = ["Credentials"];

export function credentialRoutes(credentials: CredentialService): HttpModule {
  return (app) => {
    app.get(
      PATH,
      {
        config: { scope: "credentials:read" },
        schema: {
          tags,
          summary: "List a site's logins, current and historical",
          params: siteParams,
          querystring: z.strictObject({ reveal }),
          response: { 200: z.array(credential) },
        },
      },
      (request, reply) => {
        noStore(reply);
        return readRecorded(request, async (trx) => {
          const wanted = request.query.reveal === "true";
          const known = await credentials.list(trx, request.caller, request.params.site, wanted);
          return known.map(({ row, password }) => presentCredential(row, password));
        });
      },
    );
    app.post(
      PATH,
      {
        config: { scope: "credentials:rotate" },
        schema: {
          tags,
          summary: "Rotate the site's login",
          params: siteParams,
          response: { 201: credential },
        },
      },
      (request, reply) => {
        noStore(reply);
        return mutate(request, reply, { status: 201 }, async (trx) => {
          const { row, password } = await credentials.rotate(trx, request.caller, request.params.site);
          return presentCredential(row, password);
        });
      },
    );
  };
}

import { credential, reveal, siteParams } from "@portreeve/api-schema";
import { z } from "zod";
import { type Route, route } from "../kernel/route.ts";
import { presentCredential } from "./present.ts";
import type { CredentialService } from "./service.ts";

const path = "/v1/control-plane/:site/credentials";
const tag = "Credentials";

export function credentialRoutes(credentials: CredentialService): Route[] {
  return [
    route({
      method: "GET",
      path,
      scope: "credentials:read",
      tag,
      summary: "List a site's logins, current and historical",
      input: { params: siteParams, query: z.strictObject({ reveal }) },
      output: z.array(credential),
      run: ({ caller, params, query, readRecorded }) =>
        readRecorded(async (trx) => {
          const known = await credentials.list(trx, caller, params.site, query.reveal === "true");
          return known.map(({ row, password }) => presentCredential(row, password));
        }),
    }),
    route({
      method: "POST",
      path,
      scope: "credentials:rotate",
      tag,
      summary: "Rotate the site's login",
      input: { params: siteParams },
      output: credential,
      status: 201,
      run: ({ caller, params, mutate }) =>
        mutate(async (trx) => {
          const { row, password } = await credentials.rotate(trx, caller, params.site);
          return presentCredential(row, password);
        }),
    }),
  ];
}

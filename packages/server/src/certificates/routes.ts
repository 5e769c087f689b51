import { certificateAuthority, certificateAuthorityInput } from "@portreeve/api-schema";
import { z } from "zod";
import { type HttpModule, mutate, read } from "../http/index.ts";
import { presentAuthority } from "./present.ts";
import type { CertificateAuthorityService } from "./service.ts";

const PATH = "/v1/certificate-authority";
const tags = ["Certificates"];

export function certificateRoutes(authorities: CertificateAuthorityService): HttpModule {
  return (app) => {
    app.get(
      PATH,
      {
        config: { scope: "certificates:read" },
        schema: {
          tags,
          summary: "Show the authority that signs the routers' certificates",
          response: { 200: certificateAuthority },
        },
      },
      (request) => read(request, async (trx) => presentAuthority(await authorities.get(trx))),
    );
    app.put(
      PATH,
      {
        config: { scope: "certificates:write" },
        schema: {
          tags,
          summary: "Let an authority of your own sign the routers' certificates",
          body: certificateAuthorityInput,
          response: { 200: certificateAuthority },
        },
      },
      (request, reply) =>
        mutate(request, reply, { status: 200 }, async (trx) =>
          presentAuthority(await authorities.put(trx, request.caller, request.body)),
        ),
    );
    app.delete(
      PATH,
      {
        config: { scope: "certificates:write" },
        schema: {
          tags,
          summary: "Let the routers sign their own certificates again",
          response: { 204: z.null().describe("It is removed") },
        },
      },
      (request, reply) =>
        mutate(request, reply, { status: 204 }, async (trx) => {
          await authorities.remove(trx, request.caller);
          return null;
        }),
    );
  };
}

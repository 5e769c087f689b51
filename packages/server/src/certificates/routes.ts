import { certificateAuthority, certificateAuthorityInput } from "@portreeve/api-schema";
import { type Route, route } from "../kernel/route.ts";
import { presentAuthority } from "./present.ts";
import type { CertificateAuthorityService } from "./service.ts";

const path = "/v1/certificate-authority";
const tag = "Certificates";

export function certificateRoutes(authorities: CertificateAuthorityService): Route[] {
  return [
    route({
      method: "GET",
      path,
      scope: "certificates:read",
      tag,
      summary: "Show the authority that signs the routers' certificates",
      output: certificateAuthority,
      run: ({ read }) => read(async (trx) => presentAuthority(await authorities.get(trx))),
    }),
    route({
      method: "PUT",
      path,
      scope: "certificates:write",
      tag,
      summary: "Sign the routers' certificates with an authority of your own",
      input: { body: certificateAuthorityInput },
      output: certificateAuthority,
      run: ({ caller, body, mutate }) =>
        mutate(async (trx) => presentAuthority(await authorities.put(trx, caller, body))),
    }),
    route({
      method: "DELETE",
      path,
      scope: "certificates:write",
      tag,
      summary: "Go back to self-signed certificates",
      status: 204,
      run: ({ caller, mutate }) => mutate((trx) => authorities.remove(trx, caller)),
    }),
  ];
}

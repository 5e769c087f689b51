import { z } from "zod";

/**
 * What a token may do. A route names the one scope it needs; a token carries a set of them.
 * `gateways:…` work for the customer that runs the installation alone.
 * `access:open-any` is needed, beside `access:open`, for a grant open to the whole internet (0.0.0.0/0 or ::/0).
 */
export const SCOPES = [
  "sites:read",
  "sites:write",
  "policies:read",
  "policies:write",
  "credentials:read",
  "credentials:rotate",
  "credentials:reveal",
  "certificates:read",
  "certificates:write",
  "access:read",
  "access:open",
  "access:revoke",
  "access:open-any",
  "gateways:read",
  "gateways:write",
  "audit:read",
  "tokens:read",
  "tokens:write",
] as const;

export const scope = z.enum(SCOPES).meta({ id: "Scope" });
export type Scope = z.infer<typeof scope>;

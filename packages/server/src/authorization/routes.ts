import type { Scope } from "@portreeve/api-schema";
import type { Route } from "../kernel/route.ts";

/**
 * Who may do what: every route of the API and the scope it needs, to be read in one piece. The same scope stands
 * beside each route, and the server does not start when the two differ.
 * Beyond these a request may need `sites:read` (preview of a policy), `access:open-any` (access for everybody) and
 * `credentials:reveal` (to be shown passwords), which hang on what is asked for.
 */
const SCOPE_OF: Readonly<Record<string, Scope>> = {
  "GET /v1/audit": "audit:read",
  "GET /v1/certificate-authority": "certificates:read",
  "PUT /v1/certificate-authority": "certificates:write",
  "DELETE /v1/certificate-authority": "certificates:write",
  "GET /v1/control-plane/management-network": "policies:read",
  "GET /v1/control-plane/policies": "policies:read",
  "POST /v1/control-plane/policies": "policies:write",
  "GET /v1/control-plane/policies/:id": "policies:read",
  "PUT /v1/control-plane/policies/:id": "policies:write",
  "DELETE /v1/control-plane/policies/:id": "policies:write",
  "POST /v1/control-plane/policies/:id/preview": "policies:read",
  "POST /v1/control-plane/policies/:id/sites": "policies:write",
  "PUT /v1/control-plane/policies/:id/sites": "policies:write",
  "GET /v1/control-plane/:site/credentials": "credentials:read",
  "POST /v1/control-plane/:site/credentials": "credentials:rotate",
  "GET /v1/control-plane/:site/transient-access": "access:read",
  "POST /v1/control-plane/:site/transient-access": "access:open",
  "GET /v1/control-plane/:site/transient-access/:id": "access:read",
  "DELETE /v1/control-plane/:site/transient-access/:id": "access:revoke",
  "DELETE /v1/policies/:id": "policies:write",
  "GET /v1/gateways": "gateways:read",
  "POST /v1/gateways": "gateways:write",
  "DELETE /v1/gateways/:id": "gateways:write",
  "GET /v1/rollouts": "policies:read",
  "GET /v1/rollouts/:id": "policies:read",
  "POST /v1/rollouts/:id/pause": "policies:write",
  "POST /v1/rollouts/:id/resume": "policies:write",
  "POST /v1/rollouts/:id/rollback": "policies:write",
  "GET /v1/rollouts/:id/sites": "policies:read",
  "GET /v1/sites": "sites:read",
  "POST /v1/sites": "sites:write",
  "GET /v1/sites/:id": "sites:read",
  "PATCH /v1/sites/:id": "sites:write",
  "DELETE /v1/sites/:id": "sites:write",
  "GET /v1/sites/:id/exposure": "sites:read",
  "POST /v1/sites/:id/exposure": "sites:write",
  "GET /v1/sites/:id/hardening": "sites:read",
  "POST /v1/sites/:id/hardening": "sites:write",
  "DELETE /v1/sites/:id/hardening/:fix": "sites:write",
  "GET /v1/sites/:id/plan": "sites:read",
  "POST /v1/sites/:id/reconcile": "sites:write",
  "GET /v1/tokens": "tokens:read",
  "POST /v1/tokens": "tokens:write",
  "DELETE /v1/tokens/:id": "tokens:write",
};

/** @throws TypeError naming each route that the table does not know, or knows with another scope, and each it alone knows */
export function assertScopes(routes: readonly Route[]): void {
  const stated = new Map(routes.map(({ method, path, scope }) => [`${method} ${path}`, scope]));
  const names = new Set([...stated.keys(), ...Object.keys(SCOPE_OF)]);
  const differences = [...names]
    .filter((name) => stated.get(name) !== SCOPE_OF[name])
    .map(
      (name) =>
        `${name}: ${stated.get(name) ?? "no route"}, in authorization/routes.ts ${SCOPE_OF[name] ?? "nothing"}`,
    );
  if (differences.length > 0) throw new TypeError(differences.join("\n"));
}

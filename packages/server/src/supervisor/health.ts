/**
 * What tells whoever watches over this host how its roles are: `/healthz`, `/readyz` and `/metrics` (Prometheus' text
 * format 0.0.4) on an address of their own, never the public one. It is the supervisor's, so it answers whatever
 * becomes of the roles.
 */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Problems } from "../roles/role.ts";

export interface RoleHealth {
  readonly role: string;
  readonly problems: Problems;
  /** Starts after the first. */
  readonly restarts: number;
}

/** @throws the system's error when the address can't be listened on */
export async function serveHealth(
  address: { readonly host: string; readonly port: number },
  rolesNow: () => readonly RoleHealth[],
): Promise<AsyncDisposable & { readonly server: Server }> {
  const server = createServer(({ method, url }, response) => {
    if (method !== "GET" && method !== "HEAD") return answer(response, 405, "text/plain", "");
    if (url === "/healthz") return json(response, 200, { status: "ok" });
    if (url === "/readyz") return readiness(response, rolesNow());
    if (url === "/metrics") return answer(response, 200, "text/plain; version=0.0.4", metrics(rolesNow()));
    return answer(response, 404, "text/plain", "");
  });
  server.requestTimeout = 5_000;
  server.listen(address);
  await once(server, "listening");
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function readiness(response: ServerResponse, roles: readonly RoleHealth[]): void {
  const problems = Object.assign({}, ...roles.map((one) => one.problems)) as Problems;
  if (Object.keys(problems).length === 0) json(response, 200, { status: "ready" });
  else json(response, 503, { status: "not ready", problems });
}

function metrics(roles: readonly RoleHealth[]): string {
  const samples = (name: string, read: (one: RoleHealth) => number) =>
    roles.map((one) => `${name}{role="${one.role}"} ${read(one)}`);
  return [
    "# HELP portreeve_role_up Whether the process of a role works.",
    "# TYPE portreeve_role_up gauge",
    ...samples("portreeve_role_up", ({ problems }) => (Object.keys(problems).length === 0 ? 1 : 0)),
    "# HELP portreeve_role_restarts_total How often the process of a role was started again.",
    "# TYPE portreeve_role_restarts_total counter",
    ...samples("portreeve_role_restarts_total", ({ restarts }) => restarts),
    "",
  ].join("\n");
}

function json(response: ServerResponse, status: number, body: unknown): void {
  answer(response, status, "application/json", JSON.stringify(body));
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}

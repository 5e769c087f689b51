/**
 * The set-up of scenarios. A test names what it needs, `test("…", async ({ server, ssh }) => …)`; it is made when the
 * first test of the file asks for it, and gone after the last one. A file that needs it otherwise says so at its head:
 * `const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" })`.
 */
import { test } from "vitest";
import { SiteAccess } from "./access.ts";
import { startManagedRouter, useBindablePorts } from "./routers.ts";
import { startTestServer } from "./server.ts";
import { ServerProcess } from "./server-process.ts";

export const scenario = test
  /** Settings of the server on top of the harness's own. */
  .extend("env", { scope: "file" }, {} as Readonly<Record<string, string>>)
  /** Whether the default policy has ports that emulated routers can bind, or those of a new customer. */
  .extend("bindablePorts", { scope: "file" }, true as boolean)
  .extend("server", { scope: "file" }, async ({ env, bindablePorts }, { onCleanup }) => {
    const server = await startTestServer({ env });
    onCleanup(() => server[Symbol.asyncDispose]());
    if (bindablePorts) await useBindablePorts(server.api);
    return server;
  })
  /** Closes what fixtures of the file start for the server, before the server goes. */
  .extend("closing", { scope: "file" }, ({ server: _goesLater }, { onCleanup }) => {
    const closing = new AsyncDisposableStack();
    onCleanup(() => closing.disposeAsync());
    return closing;
  })
  /** Access to one site for the whole file; its router is called gw1. */
  .extend("desk", { scope: "file" }, async ({ server, closing }) => {
    const managed = await startManagedRouter(server, { identity: "gw1" });
    closing.use(managed.router);
    return new SiteAccess(server, managed);
  })
  /** The OpenSSH client; a test that needs it is skipped where `sshMissing`. */
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads what a fixture needs from this pattern
  .extend("ssh", { scope: "file" }, async ({}, { onCleanup }) => {
    const { OpenSsh } = await import("./openssh.ts");
    const ssh = await OpenSsh.prepare();
    onCleanup(() => ssh[Symbol.asyncDispose]());
    return ssh;
  });

/** Scenarios of a server as an operator runs it, a process of its own that can be killed and started again. */
export const processScenario = test
  .extend("env", { scope: "file" }, {} as Readonly<Record<string, string>>)
  .extend("server", { scope: "file" }, async ({ env }, { onCleanup }) => {
    const server = await ServerProcess.prepare(env);
    onCleanup(() => server[Symbol.asyncDispose]());
    server.start();
    await server.ready();
    await useBindablePorts(server.api);
    return server;
  });

/** Changes by hand are heard: with a period of an hour, nothing else could bring Portreeve to look. */
import { describe, expect } from "vitest";
import {
  expectInSync,
  expectStatus,
  expectStoredLogin,
  type ManagedRouter,
  readSite,
  startManagedRouter,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "3600" });

/** From the change to its end on the router. */
const WITHIN_MS = 3_000;

type Rows = ReturnType<ManagedRouter["router"]["control"]["rows"]>;
const named = (rows: Rows, name: string) => rows.find((row) => row.name === name && row.dynamic !== "true");
const commented = (rows: Rows, comment: string) => rows.find((row) => row.comment === comment);
const JUMP = "portreeve: management - jump";

/** What somebody does, and how it shows that it was undone. */
const CHANGES: [string, (managed: ManagedRouter) => Promise<() => boolean>][] = [
  [
    "a rule switched off",
    async ({ router: { control } }) => {
      const jump = () => commented(control.rows("/ip/firewall/filter"), JUMP);
      await control.setRow("/ip/firewall/filter", jump()?.[".id"], { disabled: "yes" });
      return () => jump()?.disabled === "false";
    },
  ],
  [
    "a rule removed",
    async ({ router: { control } }) => {
      const jump = () => commented(control.rows("/ip/firewall/filter"), JUMP);
      await control.removeRow("/ip/firewall/filter", jump()?.[".id"] ?? "");
      return () => jump() !== undefined;
    },
  ],
  [
    "a service opened to everybody",
    async ({ router: { control } }) => {
      const ssh = () => named(control.rows("/ip/service"), "ssh");
      const networks = () => ssh()?.address ?? ssh()?.["available-from"];
      const before = networks();
      await control.setRow("/ip/service", ssh()?.[".id"], { address: "0.0.0.0/0" });
      return () => networks() === before;
    },
  ],
];

describe.each(["7.9", "7.24"])("RouterOS %s", (version) => {
  test.for(CHANGES)("%s is undone within three seconds", async ([, change], { server }) => {
    const managed = await startManagedRouter(server, { version });
    await using _router = managed.router;
    const isUndone = await change(managed);
    const changed = performance.now();
    await waitFor(isUndone, { what: "the repair" });
    expect(performance.now() - changed).toBeLessThan(WITHIN_MS);
    await expectInSync(server.api, managed.site.id);
    await expectStoredLogin(server.api, managed);
  });
});

test("what goes over the line is counted and shown, and a site can be metered", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _router = router;
  expect(site.metered).toBe(false);
  const { traffic } = await readSite(server.api, site.id);
  expect(traffic.bytes_sent).toBeGreaterThan(500);
  expect(traffic.bytes_received).toBeGreaterThan(500);
  const patched = expectStatus(await server.api.patch(`/v1/sites/${site.id}`, { metered: true }), 200);
  expect(patched.metered).toBe(true);
  expect((await expectInSync(server.api, site.id)).metered).toBe(true);
});

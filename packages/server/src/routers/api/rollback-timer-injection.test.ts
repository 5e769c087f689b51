/**
 * What stands on a router is hostile text, and the script that undoes a change holds it: whatever somebody wrote into a
 * rule of ours is put back byte for byte, and none of it is carried out.
 */
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { firewallFilter, parseVersion, RouterClient, type Row } from "@portreeve/routeros";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plan } from "../../reconcile/plan.ts";
import { readsOf } from "../../reconcile/reads.ts";
import { ROLLBACK_TIMER_SECONDS } from "../../reconcile/rollback-timer.ts";
import type { DesiredMenu } from "../../reconcile/types.ts";
import { deliver } from "./deliver.ts";
import { observe } from "./observe.ts";
import { armRollbackTimer } from "./rollback-timer.ts";

const NEVER = new AbortController().signal;
const DELIVERY = {
  signal: NEVER,
  open: () => Promise.reject(new Error("no step here holds a secret")),
};
const PASSWORD = "canary";
const OURS = "portreeve: test";
const RUNS = 150;

/** Wanted: our rule without what somebody added to it. So it is made anew, and undoing puts the other one back. */
const desired: DesiredMenu[] = [
  {
    menu: firewallFilter,
    rows: [
      { key: OURS, fields: { chain: "input", action: "accept", protocol: "tcp" }, managementPath: true },
    ],
    owns: { field: "comment", is: [OURS] },
    managementPath: "every",
  },
];

const HOSTILE = [
  '"; /user add name=evil group=full password="',
  "$[/user add name=evil group=full password=x]",
  "[:execute {/system reboot}]",
  "} on-error={}\n/user add name=evil group=full password=x\n",
  '\\"; /user add name=evil group=full password=x; #',
  "\\5C\\22",
  "a\r\nb\tc",
  "\u0000",
  "\u001b[2J?",
  "é€\u{10ffff}\ufeff",
  "=name=evil",
];
const anyText = fc
  .oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary" }), fc.array(fc.constantFrom(...HOSTILE)))
  .map((text) => [text].flat().join("").slice(0, 200))
  .filter((text) => text.length > 0 && text.isWellFormed());

describe.each(["6.49", "7.9", "7.18", "7.24"])("RouterOS %s", (version) => {
  test("text in a rule is put back as it was and never carried out", { timeout: 60_000 }, async () => {
    await using router = await startEmulator({
      version,
      ports: { api: 0 },
      listen: ["api"],
      password: PASSWORD,
    });
    await using client = await RouterClient.connect({
      host: router.address,
      port: router.port("api"),
      username: "admin",
      password: PASSWORD,
    });
    const rule = { chain: "input", action: "accept", protocol: "tcp", comment: OURS };
    await router.control.addRow(firewallFilter.path, rule);
    const others = everythingElse(router);

    const holds = async (prefix: string, list: string) => {
      const [row] = router.control.rows(firewallFilter.path);
      await router.control.setRow(firewallFilter.path, row?.[".id"], {
        "log-prefix": prefix,
        "src-address-list": list,
      });
      const observed = await observe(client, readsOf(desired, parseVersion(version)), NEVER);
      const { steps } = plan(desired, observed, parseVersion(version));
      expect(steps.map(({ command }) => command)).toEqual(["remove", "add"]);
      await armRollbackTimer(client, steps, NEVER);
      await deliver(steps, client, DELIVERY);
      await router.control.advanceClock(ROLLBACK_TIMER_SECONDS * 1000 + 1_000);

      const [undone, ...more] = router.control.rows(firewallFilter.path);
      expect(more).toEqual([]);
      expect(undone).toMatchObject({ ...rule, "log-prefix": prefix, "src-address-list": list });
      expect(everythingElse(router)).toEqual(others);
    };
    for (const text of HOSTILE) await holds(text, text);
    await fc.assert(fc.asyncProperty(anyText, anyText, holds), { numRuns: RUNS });
  });
});

/** Every menu that such text could reach. */
function everythingElse(router: Emulator): Row[][] {
  const menus = [
    "/user",
    "/user/group",
    "/ip/service",
    "/system/scheduler",
    "/system/script",
    "/ip/firewall/address-list",
  ];
  return menus.map((menu) =>
    router.control
      .rows(menu)
      .filter((row) => row.dynamic !== "true")
      .map(({ "last-logged-in": _login, ...row }) => row as Row),
  );
}

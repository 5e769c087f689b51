/** What stands on a router is hostile text: shown bounded and escaped wherever the API shows it, and never obeyed. */
import { describe, expect } from "vitest";
import { expectInSync, expectStatus, expectSync, startManagedRouter } from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const HOSTILE = [
  '<img src=x onerror="fetch(`/v1/tokens`)">',
  "\u001b[2J\u001b]0;owned\u0007",
  '=cmd|" /C calc"!A0',
  '"; /user add name=evil group=full password=x',
  "$[/system reboot]",
  "line\r\nX-Injected: 1",
  "\u202egnp.exe",
];
/** A whole answer about one router stays below this, characters, though the router holds far more. */
const MAX_ANSWER = 500_000;

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

/** Every text in an answer, however deep. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...texts(inner)]);
}

describe.each(["6.49", "7.9", "7.18", "7.24"])("RouterOS %s", (version) => {
  test("plan, hardening report, exposure and audit show it as bounded lines without control characters", async ({
    server,
  }) => {
    const { router, site } = await startManagedRouter(server, { version });
    await using _router = router;
    const { control } = router;
    for (const text of HOSTILE) {
      const rule = { chain: "input", action: "accept", protocol: "gre", comment: text, "log-prefix": text };
      await control.addRow("/ip/firewall/filter", rule);
      await control.addRow("/ip/firewall/address-list", {
        list: text,
        address: "203.0.113.9",
        comment: text,
      });
    }
    await control.addRow("/ip/firewall/filter", {
      chain: "input",
      action: "drop",
      "src-address-list": HOSTILE[0] ?? "",
      comment: HOSTILE[1]?.repeat(5_000) ?? "",
    });
    await control.setRow("/system/identity", undefined, { name: "x".repeat(1_000_000) + HOSTILE.join("") });
    await control.addRow("/user/group", { name: "evil", policy: "read", comment: HOSTILE.join("") });

    for (const path of ["", "/plan", "/hardening", "/exposure"]) {
      const answer = expectStatus(await server.api.get(`/v1/sites/${site.id}${path}`), 200);
      expect([path, texts(answer).filter((text) => /\p{Cc}/u.test(text))]).toEqual([path, []]);
      expect([path, JSON.stringify(answer).length < MAX_ANSWER]).toEqual([path, true]);
    }
    const audit = expectStatus(await server.api.get(`/v1/audit?site_id=${site.id}`), 200);
    expect(texts(audit).filter((text) => /\p{Cc}/u.test(text))).toEqual([]);
    expect(control.rows("/user").map(({ name }) => name)).not.toContain("evil");
    // Rules were added behind ours, which go behind them within a period.
    const planned = async () => expectStatus(await server.api.get(`/v1/sites/${site.id}/plan`), 200).steps;
    await expect.poll(planned, { timeout: 10_000 }).toEqual([]);
  });

  test("a rule of ours filled with it is repaired, and what stood in it is written down escaped", async ({
    server,
  }) => {
    const { router, site } = await startManagedRouter(server, { version });
    await using _router = router;
    const { control } = router;
    const jump = () =>
      control.rows("/ip/firewall/filter").find(({ comment }) => comment === "portreeve: management - jump");
    const users = control.rows("/user").length;
    await control.setRow("/ip/firewall/filter", jump()?.[".id"], {
      "log-prefix": HOSTILE.join(""),
      "src-address-list": HOSTILE[3] ?? "",
    });
    await expectSync(server.api, site.id, "in_sync");
    await expect.poll(() => jump()?.["log-prefix"] ?? "", { timeout: 10_000 }).toBe("");
    await expectInSync(server.api, site.id);
    expect(control.rows("/user")).toHaveLength(users);
    const audit = expectStatus(await server.api.get(`/v1/audit?site_id=${site.id}`), 200);
    expect(texts(audit).filter((text) => /\p{Cc}/u.test(text))).toEqual([]);
  });
});

import { hardeningReport } from "@portreeve/api-schema";
import type { Row } from "@portreeve/routeros";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CHECKS, MENUS } from "./checks/index.ts";
import { reportOf } from "./report.ts";
import { scoreOf, WEIGHTS } from "./score.ts";
import { findingOn, reportOn, SITE } from "./testing.fixture.ts";

/** Everything from the factory or worse. */
const OPEN: Readonly<Record<string, readonly Row[]>> = {
  "/ip/dns": [{ "allow-remote-requests": "true" }],
  "/ip/firewall/filter": [],
  "/ip/neighbor/discovery-settings": [{ "discover-interface-list": "static" }],
  "/ip/proxy": [{ enabled: "true" }],
  "/ip/socks": [{ enabled: "true" }],
  "/ip/ssh": [{ "strong-crypto": "false" }],
  "/ip/upnp": [{ enabled: "true" }],
  "/snmp": [{ enabled: "true" }],
  "/tool/bandwidth-server": [{ enabled: "true" }],
  "/tool/mac-server": [{ "allowed-interface-list": "all" }],
  "/tool/mac-server/mac-winbox": [{ "allowed-interface-list": "all" }],
  "/tool/mac-server/ping": [{ enabled: "true" }],
  "/tool/romon": [{ enabled: "true" }],
  "/user/settings": [{ "minimum-password-length": "0" }],
};

test.each(["6.49", "7.9", "7.18", "7.24"])(
  "the fixes of %s are steps in RouterOS's words, and nothing else",
  (version) => {
    const { findings } = reportOn({ version, menus: OPEN });
    const steps = findings.flatMap(({ fix }) => fix?.steps ?? []).map(({ text }) => text);
    expect(steps).toEqual([
      "/user settings set minimum-password-length=12",
      "/ip ssh set strong-crypto=yes",
      "/ip dns set allow-remote-requests=no",
      "/tool bandwidth-server set enabled=no",
      "/snmp set enabled=no",
      "/ip upnp set enabled=no",
      "/ip socks set enabled=no",
      "/ip proxy set enabled=no",
      "/tool mac-server set allowed-interface-list=none",
      "/tool mac-server mac-winbox set allowed-interface-list=none",
      "/tool mac-server ping set enabled=no",
      "/ip neighbor discovery-settings set discover-interface-list=none",
      "/tool romon set enabled=no",
    ]);
  },
);

test("every fix that costs somebody something says what", () => {
  const fixed = reportOn({ menus: OPEN }).findings.filter(({ fix }) => fix);
  const silent = fixed.filter(({ fix }) => !fix?.caution).map(({ id }) => id);
  expect(silent).toEqual(["mac-ping"]);
});

test("an open finding has a fix or a reason for having none, and never both", () => {
  for (const { id, status, fix, no_fix_reason: reason } of reportOn({ menus: OPEN, version: "7.9" })
    .findings) {
    if (status === "open") expect((fix === null) !== (reason === null), id).toBe(true);
    if (status === "ok") expect([fix, reason], id).toEqual([null, null]);
  }
});

test("what Portreeve was told to keep is marked", () => {
  expect(findingOn("socks", { enforced: ["socks"] }).enforced).toBe(true);
  expect(findingOn("upnp", { enforced: ["socks"] }).enforced).toBe(false);
});

test("evidence is the rows read, escaped and cut, a screenful of them", () => {
  const name = `\u001b[31m"; /system reset\n${"x".repeat(400)}`;
  const user = { group: "full", disabled: "false", address: "" };
  const many = Array.from({ length: 60 }, (_, i) => ({ ...user, name: i === 0 ? name : `u${i}` }));
  const finding = findingOn("full-users-unrestricted", { menus: { "/user": many } });
  expect(finding.evidence).toHaveLength(24);
  expect(finding.evidence_omitted).toBe(36);
  const shown = finding.evidence[0]?.values.name ?? "";
  expect(shown).toMatch(/^\\1B\[31m"; \/system reset\\0Ax+…$/);
  expect(shown).toHaveLength(200);
  expect(finding.detail).not.toMatch(/\p{Cc}/u);
  expect(finding.detail).toMatch(/and 55 more/);
});

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom(
    "true",
    "yes",
    "false",
    "",
    "!",
    "!LAN",
    "all",
    "0.0.0.0/0",
    "::/0",
    "-",
    "1-",
    "99999999999999999999",
  ),
  fc.constantFrom(
    "admin",
    "full",
    "input",
    "drop",
    "accept",
    "jump",
    "return",
    "none",
    "public",
    "NaN",
    "9w9d99:99:99",
  ),
);
const menuNames = [...MENUS];
const fieldNames =
  "name group address available-from disabled dynamic port certificate policy chain action jump-target src-address " +
  "src-address-list dst-port protocol address-list in-interface-list connection-state enabled list addresses expired " +
  "expires-after invalid-after key-usage via version mode flagged __proto__ constructor comment";
const row = fc.dictionary(fc.oneof(fc.constantFrom(...fieldNames.split(" ")), text), text, { maxKeys: 12 });
const read = fc.oneof(
  { weight: 8, arbitrary: fc.array(row, { maxLength: 6 }).map((rows) => ({ rows: rows as Row[] })) },
  { weight: 1, arbitrary: fc.constant({ absent: true as const }) },
  { weight: 1, arbitrary: text.map((refused) => ({ refused })) },
);
const version = fc.record({
  major: fc.integer({ min: 0, max: 9 }),
  minor: fc.integer({ min: 0, max: 60 }),
  patch: fc.integer({ min: 0, max: 30 }),
  stage: fc.constantFrom("beta", "rc", "release"),
  stageNumber: fc.nat(9),
  channel: fc.constant(undefined),
});

test("whatever a router answers, the report is whole, printable and bounded", () => {
  const routers = fc.record({
    reads: fc.array(read, { minLength: menuNames.length, maxLength: menuNames.length }),
    version,
  });
  fc.assert(
    fc.property(routers, ({ reads, version }) => {
      const report = reportOf({
        read: new Map(menuNames.map((menu, i) => [menu, reads[i] ?? { absent: true }])),
        version,
        now: new Date("2026-11-26T12:00:00Z"),
        site: SITE,
        enforced: new Set(),
      });
      expect(hardeningReport.parse(report).findings.map(({ id }) => id)).toEqual(CHECKS.map(({ id }) => id));
      const sent = JSON.stringify(report);
      expect(sent).not.toMatch(/[\p{Cc}\u202e\u2066]|\\u00[01]/u);
      expect(sent.length).toBeLessThan(500_000);
    }),
    { numRuns: 300 },
  );
});

test("the score is the weight of what is well, of all that could be evaluated", () => {
  const evaluated = (
    status: "open" | "ok" | "unknown" | "not_applicable",
    severity: keyof typeof WEIGHTS,
  ) => ({
    status,
    severity,
  });
  expect(scoreOf([evaluated("ok", "high"), evaluated("ok", "low")])).toBe(100);
  expect(scoreOf([evaluated("open", "critical"), evaluated("ok", "high"), evaluated("ok", "high")])).toBe(50);
  expect(
    scoreOf([
      evaluated("ok", "high"),
      evaluated("unknown", "critical"),
      evaluated("not_applicable", "critical"),
    ]),
  ).toBe(100);
  expect(scoreOf([...Array(50).fill(evaluated("ok", "critical")), evaluated("open", "low")])).toBe(99);
  expect(scoreOf([evaluated("unknown", "high"), evaluated("open", "info")])).toBe(0);
  const weights = Object.values(WEIGHTS);
  expect(weights).toEqual(weights.toSorted((a, b) => b - a));
});

test("rules and lists that are too much to follow make findings unknown", () => {
  const entries = Array.from({ length: 30_000 }, (_, i) => ({
    list: "many",
    address: `${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.7`,
  }));
  const rule = { chain: "input", action: "drop", "src-address-list": "!many", "src-address": "10.0.0.0/8" };
  const rules = Array.from({ length: 5000 }, (_, i) => ({ ".id": `*${i}`, ...rule }));
  const menus = {
    "/ip/dns": [{ "allow-remote-requests": "true" }],
    "/ip/firewall/address-list": entries,
    "/ip/firewall/filter": rules,
  };
  expect(findingOn("dns-open", { menus })).toMatchObject({ status: "unknown", fix: null });
});

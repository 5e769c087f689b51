import type { FindingStatus } from "@portreeve/api-schema";
import type { Row } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { bruteForceRules } from "../policies/brute-force.ts";
import { PASSWORD_LENGTHS } from "../vault/index.ts";
import { CHECKS } from "./checks/index.ts";
import { PASSWORD_LENGTH } from "./checks/users.ts";
import { findingOn, type RouterChange, reportOn, servicesWith } from "./testing.fixture.ts";

const rule = (row: Row): Row => ({ ".id": `*${Math.abs(row.action?.length ?? 0)}`, chain: "input", ...row });
const filter = (...rules: Row[]) => ({ "/ip/firewall/filter": rules.map(rule) });
const acceptAll = filter({ action: "accept" });
const users = (...rows: Row[]) => ({
  "/user": rows.map((row, i) => ({
    ".id": `*${i}`,
    group: "full",
    address: "10.0.0.0/8",
    disabled: "false",
    ...row,
  })),
});
const menus = (of: RouterChange["menus"]): RouterChange => ({ menus: of ?? {} });

test("a hardened router scores 100: nothing is open, and passwords are the one thing not known", () => {
  const { score, findings } = reportOn();
  const by = (status: FindingStatus) =>
    findings.filter((finding) => finding.status === status).map(({ id }) => id);
  expect(by("open")).toEqual([]);
  expect(by("unknown")).toEqual(["user-passwords"]);
  expect(by("not_applicable")).toEqual(["brute-force-order"]);
  expect(score).toBe(100);
});

test.each<[string, RouterChange, FindingStatus]>([
  ["routeros-version", { version: "7.24.5" }, "open"],
  ["routeros-version", { version: "7.25.1" }, "ok"],
  ["routeros-version", { version: "6.49.22" }, "open"],
  ["routeros-version", { version: "6.49.23" }, "ok"],
  ["routeros-version", { version: "8.1" }, "unknown"],
  [
    "known-vulnerabilities",
    { version: "7.23.7", ...menus({ "/ip/service": servicesWith({ www: { disabled: "false" } }) }) },
    "open",
  ],
  [
    "known-vulnerabilities",
    { version: "7.23.8", ...menus({ "/ip/service": servicesWith({ www: { disabled: "false" } }) }) },
    "ok",
  ],
  [
    "known-vulnerabilities",
    { version: "7.24rc1", ...menus({ "/ip/service": servicesWith({ "www-ssl": { disabled: "no" } }) }) },
    "open",
  ],
  ["known-vulnerabilities", { version: "7.9" }, "ok"],
  [
    "known-vulnerabilities",
    { version: "6.49.20", ...menus({ "/tool/bandwidth-server": [{ enabled: "true" }] }) },
    "open",
  ],
  ["device-mode-flagged", menus({ "/system/device-mode": [{ mode: "home", flagged: "true" }] }), "open"],
  ["device-mode-flagged", menus({ "/system/device-mode": [{ mode: "home" }] }), "unknown"],
  [
    "scripts-without-permission-check",
    menus({ "/system/script": [{ name: "s", "dont-require-permissions": "true" }] }),
    "open",
  ],
  [
    "scripts-without-permission-check",
    menus({ "/system/script": [{ name: "s", "dont-require-permissions": "false" }] }),
    "ok",
  ],
  ["default-admin-user", menus(users({ name: "admin" }, { name: "anna" })), "open"],
  ["default-admin-user", menus(users({ name: "admin", disabled: "true" }, { name: "anna" })), "ok"],
  ["password-length", menus({ "/user/settings": [{ "minimum-password-length": "8" }] }), "open"],
  ["password-length", menus({ "/user/settings": [{ "minimum-password-length": "20" }] }), "ok"],
  ["full-users-unrestricted", menus(users({ name: "anna", address: "" })), "open"],
  ["full-users-unrestricted", menus(users({ name: "anna", address: "0.0.0.0/0" })), "open"],
  ["full-users-unrestricted", menus(users({ name: "anna", address: "", disabled: "true" })), "ok"],
  ["full-users-unrestricted", menus(users({ name: "bob", group: "read", address: "" })), "ok"],
  ["read-group-rights", menus(users({ name: "bob", group: "read" })), "open"],
  ["service-telnet", menus({ "/ip/service": servicesWith({ telnet: { disabled: "false" } }) }), "open"],
  ["service-ftp", menus({ "/ip/service": servicesWith({ ftp: { disabled: "false" } }) }), "open"],
  ["service-www", menus({ "/ip/service": servicesWith({ www: { disabled: "false" } }) }), "open"],
  ["service-api-plain", menus({ "/ip/service": servicesWith({ api: { disabled: "false" } }) }), "open"],
  // From 7.19 open connections are rows of their service's name.
  [
    "service-telnet",
    menus({ "/ip/service": [...servicesWith({}), { name: "telnet", dynamic: "true", disabled: "false" }] }),
    "ok",
  ],
  ["service-address", menus({ "/ip/service": servicesWith({ ssh: { address: "" } }) }), "open"],
  [
    "service-address",
    menus({ "/ip/service": servicesWith({ ssh: { address: "10.0.0.0/8,0.0.0.0/0" } }) }),
    "open",
  ],
  ["service-address", menus({ "/ip/service": servicesWith({ ssh: { "available-from": "::/0" } }) }), "open"],
  ["management-exposed", menus({ "/ip/service": servicesWith({ ssh: { address: "" } }) }), "ok"],
  [
    "management-exposed",
    menus({ "/ip/service": servicesWith({ ssh: { address: "" } }), ...acceptAll }),
    "open",
  ],
  [
    "management-exposed",
    menus({
      "/ip/service": servicesWith({ ssh: { address: "" } }),
      ...filter({ action: "drop", "in-interface": "ether1" }),
    }),
    "unknown",
  ],
  ["management-exposed", menus(acceptAll), "ok"],
  ["ssh-crypto", menus({ "/ip/ssh": [{ "strong-crypto": "false" }] }), "open"],
  ["tls-certificate", menus({ "/ip/service": servicesWith({ "api-ssl": { certificate: "none" } }) }), "open"],
  ["certificate-expiry", menus({ "/certificate": [{ name: "web", "expires-after": "2w" }] }), "open"],
  ["certificate-expiry", menus({ "/certificate": [{ name: "web", expired: "true" }] }), "open"],
  [
    "certificate-expiry",
    menus({ "/certificate": [{ name: "web", "invalid-after": "dec/01/2026 00:00:00" }] }),
    "open",
  ],
  [
    "certificate-expiry",
    menus({ "/certificate": [{ name: "web", "invalid-after": "2027-06-01 00:00:00" }] }),
    "ok",
  ],
  ["certificate-expiry", menus({ "/certificate": [{ name: "web", "invalid-after": "soon" }] }), "unknown"],
  [
    "certificate-expiry",
    menus({ "/certificate": [{ name: "unused", "expires-after": "1d" }] }),
    "not_applicable",
  ],
  ["certificate-usage", menus({ "/certificate": [{ name: "web", "key-usage": "tls-server" }] }), "open"],
  [
    "certificate-usage",
    menus({
      "/certificate": [
        { name: "web", "subject-alt-name": "IP:1.2.3.4", "key-usage": "tls-server,key-cert-sign" },
      ],
    }),
    "open",
  ],
  ["ipv6-unfiltered", menus({ "/ipv6/firewall/filter": [] }), "open"],
  [
    "ipv6-unfiltered",
    menus({ "/ipv6/firewall/filter": [], "/ipv6/settings": [{ "disable-ipv6": "true" }] }),
    "ok",
  ],
  ["ipv6-unfiltered", menus({ "/ipv6/firewall/filter": { absent: true } }), "not_applicable"],
  ["dns-open", menus({ "/ip/dns": [{ "allow-remote-requests": "true" }] }), "ok"],
  ["dns-open", menus({ "/ip/dns": [{ "allow-remote-requests": "true" }], ...acceptAll }), "open"],
  [
    "dns-open",
    menus({
      "/ip/dns": [{ "allow-remote-requests": "true" }],
      ...filter({ action: "drop", protocol: "tcp" }),
    }),
    "open",
  ],
  ["dns-open", menus({ "/ip/dns": [{}] }), "unknown"],
  ["bandwidth-server", menus({ "/tool/bandwidth-server": [{ enabled: "true" }] }), "open"],
  ["snmp-public", menus({ "/snmp": [{ enabled: "true" }] }), "open"],
  ["snmp-public", menus({ "/snmp": [{ enabled: "true" }], "/snmp/community": [{ name: "x7" }] }), "ok"],
  [
    "snmp-public",
    menus({ "/snmp": [{ enabled: "true" }], "/snmp/community": [{ name: "public", disabled: "true" }] }),
    "ok",
  ],
  ["upnp", menus({ "/ip/upnp": [{ enabled: "yes" }] }), "open"],
  ["socks", menus({ "/ip/socks": [{ enabled: "true" }] }), "open"],
  ["web-proxy", menus({ "/ip/proxy": [{ enabled: "true" }] }), "open"],
  ["cloud-ddns", menus({ "/ip/cloud": [{ "ddns-enabled": "yes" }] }), "open"],
  [
    "cloud-ddns",
    menus({ "/ip/cloud": [{ "ddns-enabled": "auto", "dns-name": "x.sn.mynetname.net" }] }),
    "open",
  ],
  ["cloud-ddns", menus({ "/ip/cloud": [{ "ddns-enabled": "false" }] }), "ok"],
  ["mac-telnet", menus({ "/tool/mac-server": [{ "allowed-interface-list": "all" }] }), "open"],
  ["mac-telnet", menus({ "/tool/mac-server": [{ "allowed-interface-list": "LAN" }] }), "ok"],
  ["mac-winbox", menus({ "/tool/mac-server/mac-winbox": [{ "allowed-interface-list": "static" }] }), "open"],
  ["mac-ping", menus({ "/tool/mac-server/ping": [{ enabled: "true" }] }), "open"],
  [
    "neighbor-discovery",
    menus({ "/ip/neighbor/discovery-settings": [{ "discover-interface-list": "!dynamic" }] }),
    "open",
  ],
  [
    "neighbor-discovery",
    menus({ "/ip/neighbor/discovery-settings": [{ "discover-interface-list": "!WAN" }] }),
    "ok",
  ],
  ["romon", menus({ "/tool/romon": [{ enabled: "true" }] }), "open"],
])("%s on %j is %s", (id, change, status) => {
  expect(findingOn(id, change).status).toBe(status);
});

test("a menu the router lacks does not apply, one it refuses is unknown, with its words", () => {
  for (const { id, reads } of CHECKS) {
    const [menu = ""] = reads;
    const absent = findingOn(id, menus({ [menu]: { absent: true } }));
    expect(absent, id).toMatchObject({ status: "not_applicable", fix: null, no_fix_reason: null });
    const refused = findingOn(id, menus({ [menu]: { refused: "not enough permissions (9)" } }));
    expect(refused, id).toMatchObject({ status: "unknown", fix: null });
    expect(refused.detail).toContain("not enough permissions (9)");
  }
});

test("every finding is told from the others, says why with a source, and either mends or says why not", () => {
  expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length);
  for (const { id, why, source, fix } of CHECKS) {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(why.length, id).toBeGreaterThan(20);
    expect(source.url, id).toMatch(/^https:\/\//);
    if (typeof fix === "string") expect(fix.length, id).toBeGreaterThan(20);
  }
});

const stage = (list: string, from?: string): Row => ({
  action: "add-src-to-address-list",
  protocol: "tcp",
  "dst-port": "8729",
  "connection-state": "new",
  "address-list": list,
  ...(from ? { "src-address-list": from } : {}),
});
const refuse = (list: string): Row => ({ action: "drop", "src-address-list": list });

test.each<[string, Row[], FindingStatus]>([
  ["the guide's order", [stage("one"), stage("black", "one"), refuse("black")], "open"],
  [
    "the guide's order with three stages",
    [stage("one"), stage("two", "one"), stage("black", "two"), refuse("black")],
    "open",
  ],
  ["the manual's order", [refuse("black"), stage("black", "two"), stage("two", "one"), stage("one")], "ok"],
  [
    "stages of other ports",
    [stage("one"), { ...stage("black", "one"), "dst-port": "22" }, refuse("black")],
    "ok",
  ],
  ["a last list that refuses nobody", [stage("one"), stage("black", "one")], "ok"],
  ["a disabled stage", [stage("one"), { ...stage("black", "one"), disabled: "true" }, refuse("black")], "ok"],
])("rules against guessing in %s are %s", (_name, rules, status) => {
  expect(findingOn("brute-force-order", menus(filter(...rules))).status).toBe(status);
  const ipv6 = { "/ipv6/firewall/filter": rules.map(rule) };
  expect(findingOn("brute-force-order", menus(ipv6)).status).toBe(status);
});

test("Portreeve's own rules against guessing are in the right order", () => {
  const own = bruteForceRules({ chain: "portreeve", ports: [22], trustedList: "portreeve-trusted" });
  expect(findingOn("brute-force-order", menus({ "/ip/firewall/filter": own }))).toMatchObject({
    status: "ok",
  });
});

const adminAnd = (...others: Row[]) => users({ name: "admin" }, ...others);

test("admin is disabled by a step of the plan where somebody else has full rights", () => {
  const finding = findingOn("default-admin-user", menus(adminAnd({ name: "anna" })));
  expect(finding.fix?.steps.map(({ text }) => text)).toEqual(['/user set [find name="admin"] disabled=yes']);
  expect(finding.no_fix_reason).toBeNull();
});

test.each<[string, RouterChange, RegExp]>([
  [
    "is logged in now",
    menus({
      ...adminAnd({ name: "anna" }),
      "/user/active": [{ name: "admin", via: "winbox", address: "10.1.1.1" }],
    }),
    /logged in as admin right now \(winbox from 10\.1\.1\.1\)/,
  ],
  [
    "is the only one with full rights",
    menus(adminAnd({ name: "bob", group: "read" })),
    /only user with full rights/,
  ],
  [
    "is the only one with full rights who is enabled",
    menus(adminAnd({ name: "anna", disabled: "yes" })),
    /only user with full rights/,
  ],
  [
    "has full rights with Portreeve alone",
    menus(adminAnd({ name: "portreeve-api" })),
    /only user with full rights/,
  ],
  [
    "is Portreeve's own user",
    { ...menus(adminAnd({ name: "anna" })), site: { apiUsername: "admin" } },
    /Portreeve itself/,
  ],
])("admin stays where it %s", (_name, change, reason) => {
  const finding = findingOn("default-admin-user", change);
  expect(finding).toMatchObject({ status: "open", fix: null });
  expect(finding.no_fix_reason).toMatch(reason);
});

test("whether users have passwords is never claimed, and nobody but us is no question", () => {
  const one = findingOn(
    "user-passwords",
    menus(users({ name: "anna", expired: "true" }, { name: "portreeve-api" })),
  );
  expect(one.status).toBe("unknown");
  expect(one.detail).toContain("anna must set a new one");
  expect(one.evidence).toHaveLength(1);
  expect(findingOn("user-passwords", menus(users({ name: "portreeve-api" }))).status).toBe("ok");
});

test("a plain service says what the policy wants of it, and the one we come in by stays", () => {
  const open = menus({
    "/ip/service": servicesWith({ api: { disabled: "false" }, telnet: { disabled: "false" } }),
  });
  expect(findingOn("service-telnet", open).detail).toContain("The policy Office closes it.");
  expect(findingOn("service-telnet", open).no_fix_reason).toMatch(/closes it already/);
  const managementPath = findingOn("service-api-plain", { ...open, site: { managementTransport: "api" } });
  expect(managementPath.no_fix_reason).toMatch(/Portreeve itself uses it/);
});

test("the minimum that the fix sets for passwords is one that Portreeve's own passwords have", () => {
  for (const length of Object.values(PASSWORD_LENGTHS))
    expect(length).toBeGreaterThanOrEqual(PASSWORD_LENGTH);
});

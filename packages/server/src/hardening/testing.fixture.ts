/** A router's rows for tests of the checks: a hardened one, changed where a test says so. */
import { SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import { parseVersion, type Row } from "@portreeve/routeros";
import type { StoredService } from "../database/index.ts";
import { reportOf } from "./report.ts";
import type { MenuRead } from "./rows.ts";
import type { SiteView } from "./types.ts";

const closed = (port: number): StoredService => ({ enabled: false, port, networks: [] });

export const SITE: SiteView = {
  policyName: "Office",
  services: {
    ...(Object.fromEntries(SERVICE_NAMES.map((name) => [name, closed(1)])) as Record<
      ServiceName,
      StoredService
    >),
    ssh: { enabled: true, port: 22, networks: ["10.0.0.0/8"] },
    api_ssl: { enabled: true, port: 8729, networks: [] },
  },
  managementTransport: "api-ssl",
  apiUsername: "portreeve-api",
};

const FULL = "local,telnet,ssh,ftp,reboot,read,write,policy,test,winbox,password,web,sniff,sensitive,api";
const READ = "local,telnet,ssh,reboot,read,test,winbox,password,web,sniff,sensitive,api,!ftp,!write,!policy";
const services = (["telnet", "ftp", "www", "ssh", "www-ssl", "api", "winbox", "api-ssl"] as const).map(
  (name, i) => ({
    ".id": `*${i}`,
    name,
    port: String(20 + i),
    address: "10.0.0.0/8",
    disabled: String(!["ssh", "api-ssl"].includes(name)),
    ...(name.endsWith("ssl") ? { certificate: "web" } : {}),
  }),
);

/** Nothing is open on it. */
const HARDENED: Readonly<Record<string, readonly Row[]>> = {
  "/certificate": [
    {
      name: "web",
      "subject-alt-name": "IP:192.0.2.1",
      "key-usage": "digital-signature,key-encipherment,tls-server",
      expired: "false",
      "expires-after": "40w",
    },
  ],
  "/ip/cloud": [{ "ddns-enabled": "auto" }],
  "/ip/dns": [{ "allow-remote-requests": "false" }],
  "/ip/firewall/address-list": [],
  "/ip/firewall/filter": [{ ".id": "*1", chain: "input", action: "drop", "in-interface-list": "!LAN" }],
  "/ip/neighbor/discovery-settings": [{ "discover-interface-list": "none" }],
  "/ip/proxy": [{ enabled: "false" }],
  "/ip/service": services,
  "/ip/socks": [{ enabled: "false" }],
  "/ip/ssh": [{ "strong-crypto": "true" }],
  "/ip/upnp": [{ enabled: "false" }],
  "/ipv6/firewall/address-list": [],
  "/ipv6/firewall/filter": [{ ".id": "*1", chain: "input", action: "drop", "in-interface-list": "!LAN" }],
  "/ipv6/settings": [{ "disable-ipv6": "false" }],
  "/snmp": [{ enabled: "false" }],
  "/snmp/community": [{ name: "public", addresses: "::/0", disabled: "false" }],
  "/system/device-mode": [{ mode: "advanced", flagged: "false" }],
  "/system/resource": [{ version: "7.24.6 (long-term)" }],
  "/system/scheduler": [],
  "/system/script": [],
  "/tool/bandwidth-server": [{ enabled: "false" }],
  "/tool/mac-server": [{ "allowed-interface-list": "none" }],
  "/tool/mac-server/mac-winbox": [{ "allowed-interface-list": "LAN" }],
  "/tool/mac-server/ping": [{ enabled: "false" }],
  "/tool/romon": [{ enabled: "false" }],
  "/user": [
    { ".id": "*1", name: "anna", group: "full", address: "10.0.0.0/8", disabled: "false", expired: "false" },
    { ".id": "*2", name: "portreeve-api", group: "portreeve-api", address: "100.64.0.1", disabled: "false" },
  ],
  "/user/active": [],
  "/user/group": [
    { name: "full", policy: FULL },
    { name: "read", policy: READ },
    { name: "portreeve-api", policy: "api,policy,read,write,!ftp" },
  ],
  "/user/settings": [{ "minimum-password-length": "12", "minimum-categories": "3" }],
};

export interface RouterChange {
  readonly version?: string;
  /** Menus as they are instead: rows, or how reading one failed. */
  readonly menus?: Readonly<Record<string, readonly Row[] | MenuRead>>;
  readonly site?: Partial<SiteView>;
  readonly enforced?: readonly string[];
}

/** The report on a hardened router with some things changed. */
export function reportOn({ version = "7.24.6", menus = {}, site = {}, enforced = [] }: RouterChange = {}) {
  const rows = { ...HARDENED, "/system/resource": [{ version: `${version} (stable)` }], ...menus };
  const read = Object.entries(rows).map(
    ([menu, value]) => [menu, isRead(value) ? value : { rows: value }] as const,
  );
  return reportOf({
    read: new Map(read),
    version: parseVersion(version),
    now: new Date("2026-11-26T12:00:00Z"),
    site: { ...SITE, ...site },
    enforced: new Set(enforced),
  });
}

const isRead = (value: readonly Row[] | MenuRead): value is MenuRead => !Array.isArray(value);

export function findingOn(id: string, change: RouterChange = {}) {
  const finding = reportOn(change).findings.find((candidate) => candidate.id === id);
  if (!finding) throw new Error(`no finding ${id}`);
  return finding;
}

/** Rows of `/ip/service` with some of them changed, by name. */
export function servicesWith(changes: Readonly<Record<string, Row>>): Row[] {
  return services.map((row) => ({ ...row, ...changes[row.name] }));
}

/** Servers that a router runs beside its management services, and that attackers look for. */
import { bandwidthServer, ipDns, ipProxy, ipSocks, ipUpnp, type Row, snmp } from "@portreeve/routeros";
import { fromOutside } from "../from-outside.ts";
import type { Check, Evaluation, RouterView } from "../types.ts";
import { evidenceOf, isEverything, isTrue, VERDICT_STATUS, VERDICT_WORDS } from "./rows.ts";
import { setting } from "./setting.ts";
import { SECURING, SNMP } from "./sources.ts";

export const exposedChecks: readonly Check[] = [
  {
    ...setting({
      id: "dns-open",
      title: "The DNS server does not answer the internet",
      severity: "high",
      why: "Attackers use an open resolver to flood others with its answers, which also fill the router's link.",
      source: SECURING,
      menu: ipDns,
      wanted: { "allow-remote-requests": "false" },
      caution:
        "Devices that use the router as their DNS server can no longer resolve names. If there are any, drop UDP and TCP port 53 from outside in the input chain instead.",
    }),
    reads: [ipDns.path, "/ip/firewall/filter"],
    mayRead: ["/ip/firewall/address-list"],
    evaluate: evaluateDns,
  },
  setting({
    id: "bandwidth-server",
    title: "The bandwidth test server is off",
    severity: "medium",
    why: "Anybody who reaches it can put load on the router and its links. It is on by default.",
    source: SECURING,
    menu: bandwidthServer,
    caution: "Other routers can no longer run a bandwidth test against this one.",
  }),
  {
    ...setting({
      id: "snmp-public",
      title: "SNMP has no community that everybody knows",
      severity: "high",
      why: "SNMP 1 and 2c have no password except the name of the community; `public` is the default.",
      source: SNMP,
      menu: snmp,
      caution:
        "Monitoring that asks this router by SNMP stops. To keep it, rename the community, limit its addresses, and leave this fix alone.",
    }),
    reads: [snmp.path, "/snmp/community"],
    evaluate: evaluateSnmp,
  },
  setting({
    id: "upnp",
    title: "UPnP is off",
    severity: "medium",
    why: "UPnP lets any program on the inside open ports to the outside.",
    source: SECURING,
    menu: ipUpnp,
    caution: "Ports for programs that open their own (games, telephony) must then be opened by hand.",
  }),
  setting({
    id: "socks",
    title: "The SOCKS proxy is off",
    severity: "high",
    why: "A SOCKS proxy sends traffic of others under the router's address. Attackers who got into a router have often left one behind.",
    source: SECURING,
    menu: ipSocks,
    caution: "Programs that use the router as a SOCKS proxy lose their connection.",
  }),
  setting({
    id: "web-proxy",
    title: "The web proxy is off",
    severity: "high",
    why: "The proxy listens on every address of the router and sends requests of others under the router's address.",
    source: SECURING,
    menu: ipProxy,
    caution: "Programs that use the router as a web proxy lose their connection.",
  }),
  {
    id: "cloud-ddns",
    title: "The router has no name in MikroTik's cloud",
    severity: "low",
    why: "With DDNS the router tells MikroTik its address, and a public name leads to it.",
    source: SECURING,
    reads: ["/ip/cloud"],
    evaluate: evaluateCloud,
    fix: "No published source says from which version the value that turns it off is `auto` instead of `no`. Type /ip/cloud/set ddns-enabled=auto, or =no where the router refuses that.",
  },
];

function evaluateDns({ rows, observed }: RouterView): Evaluation {
  const [row] = rows(ipDns.path);
  const evidence = row ? [evidenceOf(ipDns.path, row, ["allow-remote-requests"])] : [];
  if (row?.["allow-remote-requests"] === undefined)
    return {
      status: "unknown",
      detail: "The router does not show whether it answers DNS requests of others.",
    };
  if (!isTrue(row["allow-remote-requests"]))
    return { status: "ok", detail: "It answers only the router's own requests.", evidence };
  const verdict = fromOutside(observed, "ipv4", { protocol: "udp", port: 53 });
  return {
    status: VERDICT_STATUS[verdict.verdict],
    detail: `It answers requests of others, and the input chain ${VERDICT_WORDS[verdict.verdict]} those from outside (UDP port 53).`,
    evidence: [...evidence, ...verdict.rules.map((rule) => evidenceOf("/ip/firewall/filter", rule))],
  };
}

/** Names of communities that are tried first. */
const KNOWN = new Set(["public", "private"]);

function evaluateSnmp({ rows }: RouterView): Evaluation {
  if (!isTrue(rows(snmp.path)[0]?.enabled)) return { status: "ok", detail: "SNMP is off." };
  const known = rows("/snmp/community").filter((row) => KNOWN.has(row.name ?? "") && !isTrue(row.disabled));
  const evidence = known.map((row) =>
    evidenceOf("/snmp/community", row, ["name", "addresses", "security", "read-access", "write-access"]),
  );
  if (known.length === 0) return { status: "ok", detail: "SNMP is on, without a community of a known name." };
  const whom = known.some(isOpenToAll) ? "everybody" : "its addresses";
  const names = known.map(({ name }) => name).join(" and ");
  return { status: "open", detail: `SNMP is on and answers ${whom} with the community ${names}.`, evidence };
}

function isOpenToAll({ addresses = "" }: Row): boolean {
  return addresses.split(",").some(isEverything);
}

function evaluateCloud({ rows }: RouterView): Evaluation {
  const [row = {}] = rows("/ip/cloud");
  const value = row["ddns-enabled"];
  const evidence = [evidenceOf("/ip/cloud", row, ["ddns-enabled", "dns-name"])];
  if (value === undefined)
    return { status: "unknown", detail: "The router does not show whether DDNS is on." };
  // `auto`: a name only while Back To Home is on, which leaves one behind.
  const isOn = isTrue(value) || (value === "auto" && (row["dns-name"] ?? "") !== "");
  return { status: isOn ? "open" : "ok", detail: `/ip/cloud has ddns-enabled=${value}.`, evidence };
}

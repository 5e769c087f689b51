/** The management services of `/ip/service`. Which of them are on, and for whom, is the site's policy to say. */
import { SERVICE_NAMES, type ServiceName, type Severity } from "@portreeve/api-schema";
import type { Row } from "@portreeve/routeros";
import { ROUTEROS_SERVICE } from "../../policies/index.ts";
import { fromOutside } from "../from-outside.ts";
import { named } from "../text.ts";
import type { Check, Evaluation, Evidence, RouterView, SiteView } from "../types.ts";
import {
  enabledServices,
  evidenceOf,
  isOpenToAll,
  sourcesOf,
  VERDICT_STATUS,
  VERDICT_WORDS,
  worstOf,
} from "./rows.ts";
import { SECURING, SERVICES } from "./sources.ts";

const SERVICE_MENU = "/ip/service";
const FILTER_MENU = "/ip/firewall/filter";

/** Services that send the password readable, or let the whole session be read. */
const PLAIN: readonly { name: ServiceName; severity: Severity; why: string }[] = [
  {
    name: "telnet",
    severity: "high",
    why: "Telnet sends the password and everything else in clear text. Use SSH instead.",
  },
  {
    name: "ftp",
    severity: "high",
    why: "FTP sends the password and the files in clear text. Use SFTP, over SSH, instead.",
  },
  {
    name: "http",
    severity: "high",
    why: "WebFig over plain HTTP can be read and changed on the way. Use HTTPS instead.",
  },
  {
    name: "api",
    severity: "medium",
    why: "The plain API sends the password in clear text. Use api-ssl instead.",
  },
];

/** `GET /ip/service` knows them as `http` and so on; findings go by RouterOS's names. */
const BY_POLICY = "The site's policy decides about the services.";

export const serviceChecks: readonly Check[] = [
  ...PLAIN.map(({ name, severity, why }): Check => {
    const service = ROUTEROS_SERVICE[name];
    return {
      id: `service-${service === "api" ? "api-plain" : service}`,
      title: `The service ${service} is off`,
      severity,
      why,
      source: SECURING,
      reads: [SERVICE_MENU],
      evaluate: (router) => evaluatePlain(router, name, service),
      fix: `${BY_POLICY} Set ${name}.enabled to false in it.`,
    };
  }),
  {
    id: "service-address",
    title: "Every service is limited to known addresses",
    severity: "medium",
    why: "A service without addresses answers every source that the firewall accepts.",
    source: SERVICES,
    reads: [SERVICE_MENU],
    evaluate: evaluateAddresses,
    fix: `${BY_POLICY} Name networks there; a service the policy does not know has to be limited or disabled by hand.`,
  },
  {
    id: "management-exposed",
    title: "No management service is open to the internet",
    severity: "critical",
    why: "Management services that the internet can reach are found within hours and then attacked all the time, with guessed passwords and through vulnerabilities.",
    source: SECURING,
    reads: [SERVICE_MENU, FILTER_MENU],
    mayRead: ["/ip/firewall/address-list"],
    evaluate: evaluateExposed,
    fix: `${BY_POLICY} Name networks there, or drop new connections from outside in the input chain.`,
  },
];

const serviceEvidence = (row: Row): Evidence =>
  evidenceOf(SERVICE_MENU, row, ["name", "port", "address", "available-from", "certificate", "disabled"]);

function evaluatePlain({ rows, site }: RouterView, name: ServiceName, service: string): Evaluation {
  const enabled = enabledServices(rows(SERVICE_MENU)).find((row) => row.name === service);
  if (!enabled) return { status: "ok", detail: `${service} is off.` };
  const whom = isOpenToAll(enabled) ? "everybody" : sourcesOf(enabled);
  const noFix = reasonToKeep(site, name, service);
  return {
    status: "open",
    detail: `${service} answers ${whom} on port ${enabled.port ?? ""}. ${wordsOfPolicy(site, name)}`,
    evidence: [serviceEvidence(enabled)],
    ...(noFix === undefined ? {} : { noFix }),
  };
}

function wordsOfPolicy({ services, policyName }: SiteView, name: ServiceName): string {
  const says = services[name].enabled ? "opens it" : "closes it";
  return `The policy ${policyName} ${says}.`;
}

function reasonToKeep({ services, managementTransport }: SiteView, name: ServiceName, service: string) {
  if (service === managementTransport)
    return "Portreeve itself uses it. Give api-ssl a certificate and set the site's management_transport to api-ssl first.";
  if (!services[name].enabled)
    return "The site's policy closes it already: the next run does, or the site's sync says why it can't.";
  return undefined;
}

function evaluateAddresses({ rows }: RouterView): Evaluation {
  const enabled = enabledServices(rows(SERVICE_MENU));
  const open = enabled.filter(isOpenToAll);
  return open.length === 0
    ? { status: "ok", detail: "Every enabled service has addresses.", evidence: enabled.map(serviceEvidence) }
    : {
        status: "open",
        detail: `Without addresses, or with 0.0.0.0/0: ${named(open.map(({ name }) => name ?? ""))}.${unknownToPolicy(open)}`,
        evidence: open.map(serviceEvidence),
      };
}

const KNOWN_SERVICES = new Set(SERVICE_NAMES.map((name) => ROUTEROS_SERVICE[name]));

function unknownToPolicy(open: readonly Row[]): string {
  const unknown = open.map(({ name }) => name ?? "").filter((name) => !KNOWN_SERVICES.has(name));
  return unknown.length > 0 ? ` The policy does not know ${named(unknown)}.` : "";
}

/** Open by its own addresses, and not stopped by the firewall either. */
function evaluateExposed({ rows, observed }: RouterView): Evaluation {
  const open = enabledServices(rows(SERVICE_MENU)).filter(isOpenToAll);
  if (open.length === 0) return { status: "ok", detail: "Every enabled service has addresses." };
  const evaluated = open.map((row) => ({
    row,
    verdict: fromOutside(observed, "ipv4", { port: Number(row.port) }),
  }));
  const worst = worstOf(evaluated.map(({ verdict }) => verdict.verdict));
  const those = evaluated.filter(({ verdict }) => verdict.verdict === worst);
  const names = named(those.map(({ row }) => row.name ?? ""));
  const deciding = new Set(those.flatMap(({ verdict }) => verdict.rules));
  return {
    status: VERDICT_STATUS[worst],
    detail: `The input chain ${VERDICT_WORDS[worst]} new connections from outside to ${names}.`,
    evidence: [
      ...those.map(({ row }) => serviceEvidence(row)),
      ...[...deciding].map((rule) => evidenceOf(FILTER_MENU, rule)),
    ],
  };
}

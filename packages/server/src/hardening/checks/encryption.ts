/** What keeps a session from being read: SSH's ciphers and the services' certificates. */
import { ipSsh, parseDateTime, parseDurationMs, type Row } from "@portreeve/routeros";
import { named } from "../text.ts";
import type { Check, Evaluation, Evidence, RouterView } from "../types.ts";
import { enabledServices, evidenceOf, isTrue } from "./rows.ts";
import { setting } from "./setting.ts";
import { API, CERTIFICATES, SECURING } from "./sources.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = 30;
const TLS_SERVICES = ["www-ssl", "api-ssl"];

const BY_HAND =
  "Portreeve makes one for api-ssl where a policy's management_transport names it. Otherwise make one and name it: /certificate/add, /certificate/sign, /ip/service/set";

export const encryptionChecks: readonly Check[] = [
  setting({
    id: "ssh-crypto",
    title: "SSH offers strong ciphers only",
    severity: "medium",
    why: "Without it SSH still offers 3DES, CBC and SHA-1.",
    source: SECURING,
    menu: ipSsh,
    wanted: { "strong-crypto": "true" },
    caution: "SSH clients that are very old can no longer connect.",
  }),
  {
    id: "tls-certificate",
    title: "Every TLS service has a certificate",
    severity: "medium",
    why: "Without a certificate TLS is anonymous: the traffic can't be read, but anybody between client and router can impersonate the router.",
    source: API,
    reads: ["/ip/service"],
    evaluate: evaluateCertificates,
    fix: `${BY_HAND} api-ssl certificate=NAME.`,
  },
  {
    id: "certificate-expiry",
    title: `No certificate of a service ends within ${WARN_DAYS} days`,
    severity: "medium",
    why: "Clients refuse an expired certificate, and people get used to ignoring the warning.",
    source: CERTIFICATES,
    reads: ["/ip/service", "/certificate"],
    evaluate: evaluateExpiry,
    fix: `${BY_HAND} NAME certificate=NEW.`,
  },
  {
    id: "certificate-usage",
    title: "Certificates of services are made for a server",
    severity: "low",
    why: "A certificate without a subject-alt-name matches no name or address for today's clients; one that may sign others turns the router's key into an authority.",
    source: CERTIFICATES,
    reads: ["/ip/service", "/certificate"],
    evaluate: evaluateUsage,
    fix: `${BY_HAND}. For a server: subject-alt-name=IP:… key-usage=digital-signature,key-encipherment,tls-server.`,
  },
];

const tlsServices = ({ rows }: RouterView): Row[] =>
  enabledServices(rows("/ip/service")).filter(({ name = "" }) => TLS_SERVICES.includes(name));

const hasCertificate = ({ certificate = "none" }: Row) => certificate !== "none" && certificate !== "";

function evaluateCertificates(router: RouterView): Evaluation {
  const services = tlsServices(router);
  const evidence = services.map((row) => evidenceOf("/ip/service", row, ["name", "port", "certificate"]));
  const without = services.filter((row) => !hasCertificate(row)).map(({ name }) => name ?? "");
  if (services.length === 0) return { status: "not_applicable", detail: "No TLS service is on." };
  return without.length === 0
    ? { status: "ok", detail: "Every enabled TLS service has a certificate.", evidence }
    : { status: "open", detail: `Without a certificate: ${named(without)}.`, evidence };
}

/** The certificates that services show. */
function certificatesInUse(router: RouterView): Row[] {
  const names = new Set(
    tlsServices(router)
      .filter(hasCertificate)
      .map(({ certificate }) => certificate),
  );
  return router.rows("/certificate").filter(({ name }) => names.has(name));
}

const certificateEvidence = (row: Row): Evidence =>
  evidenceOf("/certificate", row, [
    "name",
    "common-name",
    "subject-alt-name",
    "key-usage",
    "expired",
    "expires-after",
    "invalid-after",
  ]);

function evaluateExpiry(router: RouterView): Evaluation {
  const used = certificatesInUse(router);
  if (used.length === 0) return { status: "not_applicable", detail: "No enabled service has a certificate." };
  const left = used.map((row) => ({ row, days: daysLeft(row, router.now) }));
  const ending = left.filter(({ days }) => days !== undefined && days < WARN_DAYS).map(({ row }) => row);
  if (ending.length > 0) {
    const names = named(ending.map(({ name }) => name ?? ""));
    return {
      status: "open",
      detail: `Ended, or ends soon: ${names}.`,
      evidence: ending.map(certificateEvidence),
    };
  }
  const untold = left.filter(({ days }) => days === undefined).map(({ row }) => row);
  return untold.length > 0
    ? {
        status: "unknown",
        detail: "The router does not show when they end.",
        evidence: untold.map(certificateEvidence),
      }
    : {
        status: "ok",
        detail: `None ends within ${WARN_DAYS} days.`,
        evidence: used.map(certificateEvidence),
      };
}

/** Whole days until a certificate ends, by the router's own reckoning where it gives one; negative once it has. */
function daysLeft(row: Row, now: Date): number | undefined {
  if (isTrue(row.expired)) return -1;
  try {
    const left = row["expires-after"] ? parseDurationMs(row["expires-after"]) : undefined;
    if (left !== undefined) return Math.floor(left / DAY_MS);
    if (!row["invalid-after"]) return undefined;
    const { year, month, day } = parseDateTime(row["invalid-after"]);
    return Math.floor((Date.UTC(year, month - 1, day) - now.getTime()) / DAY_MS);
  } catch {
    return undefined; // not a time that RouterOS writes
  }
}

function evaluateUsage(router: RouterView): Evaluation {
  const used = certificatesInUse(router);
  if (used.length === 0) return { status: "not_applicable", detail: "No enabled service has a certificate." };
  const wrong = used.filter((row) => {
    const usage = (row["key-usage"] ?? "").split(",");
    return (
      (row["subject-alt-name"] ?? "") === "" ||
      usage.includes("key-cert-sign") ||
      !usage.includes("tls-server")
    );
  });
  return wrong.length === 0
    ? {
        status: "ok",
        detail: "They have a subject-alt-name and are for servers.",
        evidence: used.map(certificateEvidence),
      }
    : {
        status: "open",
        detail: `No subject-alt-name, no tls-server, or may sign others: ${named(wrong.map(({ name }) => name ?? ""))}.`,
        evidence: wrong.map(certificateEvidence),
      };
}

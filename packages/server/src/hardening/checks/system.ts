/** What runs on the router: its version, its mode, and scripts of others. */
import { compareVersions, parseVersion, type Row } from "@portreeve/routeros";
import { isAffected, LONG_TERM, VULNERABILITIES, type Vulnerability } from "../releases.ts";
import { named } from "../text.ts";
import type { Check, Evaluation, RouterView } from "../types.ts";
import { enabledServices, evidenceOf, isTrue } from "./rows.ts";
import { CHANGELOGS, CVE, DEVICE_MODE, SCRIPTS } from "./sources.ts";

const UPGRADE =
  "Portreeve does not upgrade routers: it needs a reboot. Type /system/package/update/set channel=long-term and /system/package/update/install at a time that suits.";

/** Menus that a vulnerability may be reached through, beside the services. */
const SWITCHED_MENUS = [...new Set(VULNERABILITIES.flatMap(({ reachedThrough }) => reachedThrough))].filter(
  (name) => name.startsWith("/"),
);

export const systemChecks: readonly Check[] = [
  {
    id: "routeros-version",
    title: "RouterOS is not older than the last long-term release",
    severity: "high",
    why: "Vulnerabilities are fixed only in the newest release of each channel.",
    source: CHANGELOGS,
    reads: ["/system/resource"],
    evaluate: evaluateVersion,
    fix: UPGRADE,
  },
  {
    id: "known-vulnerabilities",
    title: "No enabled service has a known vulnerability in this version",
    severity: "critical",
    why: "These need no login: reaching the service is enough.",
    source: CVE,
    reads: ["/system/resource", "/ip/service"],
    mayRead: SWITCHED_MENUS,
    evaluate: evaluateVulnerabilities,
    fix: `${UPGRADE} Until then turn the service off, in the site's policy or by the fix of its own finding.`,
  },
  {
    id: "device-mode-flagged",
    title: "RouterOS found no sign of a break-in",
    severity: "critical",
    why: "At every start RouterOS looks for configuration that intruders leave behind, disables it and flags the router.",
    source: DEVICE_MODE,
    reads: ["/system/device-mode"],
    evaluate: evaluateDeviceMode,
    fix: "Review the whole configuration, change all passwords and upgrade; then /system/device-mode/update flagged=no, which must be confirmed at the device itself.",
  },
  {
    id: "scripts-without-permission-check",
    title: "No script runs with more rights than the user who starts it",
    severity: "medium",
    why: "With dont-require-permissions=yes a user of few rights can start a script that has many; one of group write can even set it.",
    source: SCRIPTS,
    reads: ["/system/script"],
    mayRead: ["/system/scheduler"],
    evaluate: evaluateScripts,
    fix: "Something may rely on it. Look at what starts the script, then /system/script/set NAME dont-require-permissions=no",
  },
];

function evaluateVersion({ rows, version }: RouterView): Evaluation {
  const [row = {}] = rows("/system/resource");
  const evidence = [evidenceOf("/system/resource", row, ["version"])];
  const newest = LONG_TERM[version.major];
  if (!newest)
    return { status: "unknown", detail: "This Portreeve knows no long-term release of it.", evidence };
  const isOlder = compareVersions(version, parseVersion(newest.version)) < 0;
  return {
    status: isOlder ? "open" : "ok",
    detail: `The last long-term release this Portreeve knows is ${newest.version} of ${newest.released}.`,
    evidence,
  };
}

function evaluateVulnerabilities(router: RouterView): Evaluation {
  const [row = {}] = router.rows("/system/resource");
  const evidence = [evidenceOf("/system/resource", row, ["version"])];
  const affecting = VULNERABILITIES.filter((one) => isAffected(router.version, one));
  const reached = affecting
    .map((one) => ({ one, through: waysTo(one, router) }))
    .filter(({ through }) => through.length > 0);
  if (reached.length > 0) {
    const words = reached.map(
      ({ one, through }) => `${one.id} through ${through.join(" and ")}: ${one.what}`,
    );
    return { status: "open", detail: `${words.join(". ")}.`, evidence };
  }
  const off = affecting.map(({ id }) => id);
  const rest = off.length > 0 ? ` It has ${named(off)}, in services that are off.` : "";
  return { status: "ok", detail: `None of those this Portreeve knows.${rest}`, evidence };
}

/** Which of the services that lead to it are on. */
function waysTo({ reachedThrough }: Vulnerability, { rows }: RouterView): string[] {
  const services = new Set(enabledServices(rows("/ip/service")).map(({ name }) => name));
  return reachedThrough.filter((name) =>
    name.startsWith("/") ? isTrue(rows(name)[0]?.enabled) : services.has(name),
  );
}

function evaluateDeviceMode({ rows }: RouterView): Evaluation {
  const [row = {}] = rows("/system/device-mode");
  const evidence = [evidenceOf("/system/device-mode", row, ["mode", "flagged"])];
  if (row.flagged === undefined)
    return { status: "unknown", detail: "The router does not show whether it is flagged.", evidence };
  return isTrue(row.flagged)
    ? { status: "open", detail: "The router is flagged: treat it as compromised.", evidence }
    : { status: "ok", detail: "The router is not flagged.", evidence };
}

function evaluateScripts({ rows }: RouterView): Evaluation {
  const loose = rows("/system/script").filter((row) => isTrue(row["dont-require-permissions"]));
  if (loose.length === 0) return { status: "ok", detail: "Every script asks for its rights." };
  const names = loose.map(({ name }) => name ?? "");
  const starting = rows("/system/scheduler").filter((row: Row) => !isTrue(row.disabled)).length;
  return {
    status: "open",
    detail: `Scripts that don't: ${named(names)}. The scheduler has ${starting} enabled entries that may start them.`,
    evidence: loose.map((row) =>
      evidenceOf("/system/script", row, ["name", "owner", "policy", "dont-require-permissions"]),
    ),
  };
}

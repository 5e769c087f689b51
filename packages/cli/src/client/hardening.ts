import {
  type EnforcedFixes,
  type Finding,
  type HardeningReport,
  hardeningFixes,
  SEVERITIES,
} from "@portreeve/api-schema";
import { OperatorError } from "../errors.ts";
import { facts, printable, table } from "../print.ts";
import type { Api } from "./api.ts";
import { checked } from "./input.ts";
import { siteId } from "./lists.ts";
import type { Run } from "./run-verb.ts";

async function reportOf(api: Api, site: string): Promise<HardeningReport> {
  return (await api.request("GET", `/v1/sites/${await siteId(api, site)}/hardening`)) as HardeningReport;
}

/** `portreeve sites hardening`: what is open, worst first. */
export const report: Run = async (api, [site = ""], { all }) => {
  const data = await reportOf(api, site);
  const shown = data.findings
    .filter(({ status }) => all || status === "open" || status === "unknown")
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const rows = shown.map((finding) => [
    finding.severity,
    finding.status,
    finding.id,
    remedyOf(finding),
    finding.detail,
  ]);
  const head = `Score ${data.score} of 100`;
  if (rows.length === 0) return { data, text: `${head}; nothing is open.` };
  return { data, text: `${head}\n\n${table(["severity", "status", "finding", "fix", "detail"], rows)}` };
};

function remedyOf({ enforced, fix, no_fix_reason: reason }: Finding): string | null {
  if (enforced) return "kept";
  if (fix) return "yes";
  return reason === null ? null : "by hand";
}

const show: Run = async (api, [site = "", id = ""]) => {
  const { findings } = await reportOf(api, site);
  const data = findings.find((finding) => finding.id === id);
  if (!data)
    throw new OperatorError(`no finding is called ${id}; portreeve sites hardening ${site} --all lists them`);
  return { data, text: describe(data) };
};

const fix: Run = async (api, [site = "", ...fixes]) => {
  const input = checked(hardeningFixes, { fixes });
  const path = `/v1/sites/${await siteId(api, site)}/hardening`;
  return answered((await api.request("POST", path, input)) as EnforcedFixes);
};

const stop: Run = async (api, [site = "", id = ""]) => {
  const path = `/v1/sites/${await siteId(api, site)}/hardening/${encodeURIComponent(id)}`;
  return answered((await api.request("DELETE", path)) as EnforcedFixes);
};

export const hardening = { show, fix, stop };

function answered(data: EnforcedFixes) {
  return { data, text: `${printable(data.note)}\nKept on this site: ${data.fixes.join(", ") || "nothing"}` };
}

function describe(finding: Finding): string {
  const about = facts({
    Finding: finding.id,
    Title: finding.title,
    Severity: finding.severity,
    Status: finding.status,
    Detail: finding.detail,
    Why: finding.why,
    Source: finding.source.url,
    Kept: finding.enforced,
    "By hand": finding.no_fix_reason,
    Caution: finding.fix?.caution,
  });
  const rows = finding.evidence.map(({ menu, values }) => {
    const properties = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    return printable(`  ${menu}  ${properties.join(" ")}`);
  });
  const omitted = finding.evidence_omitted > 0 ? [`  and ${finding.evidence_omitted} rows more`] : [];
  const steps = (finding.fix?.steps ?? []).map(({ text }) => printable(`  ${text}`));
  return [about, ...section("Read", [...rows, ...omitted]), ...section("Would do", steps)].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

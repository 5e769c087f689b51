import { type TransientAccess, transientAccessInput } from "@portreeve/api-schema";
import { facts, table } from "../print.ts";
import type { Api } from "./api.ts";
import { checked, numeric, query } from "./input.ts";
import { siteId } from "./lists.ts";
import type { Run } from "./run-verb.ts";

const list: Run = async (api, [site = ""], { all, reveal }) => {
  const filters = query({ include: all ? "expired" : undefined, reveal: reveal === true });
  const data = (await api.request("GET", `${await pathOf(api, site)}${filters}`)) as TransientAccess[];
  const rows = data.map((grant) => [
    grant.type,
    grant.port,
    grant.full_access ? "full" : "read",
    sourceOf(grant),
    stateOf(grant),
    grant.username,
    ...(reveal ? [grant.password] : []),
    grant.id,
  ]);
  const head = ["type", "port", "rights", "from", "state", "username", ...(reveal ? ["password"] : []), "id"];
  return { data, text: table(head, rows) };
};

const open: Run = async (api, [site = ""], options) => {
  const input = checked(transientAccessInput, {
    type: options.type,
    expire_after_minutes: numeric(options.expireAfterMinutes),
    full_access: options.fullAccess === true,
    allow_rfc1918: options.allowRfc1918 === true,
    allow_only_ip: options.allowOnlyIp,
    allow_only_cidr: options.allowOnlyCidr,
    reason: options.reason,
  });
  const data = (await api.request("POST", await pathOf(api, site), input)) as TransientAccess;
  return { data, text: describe(data) };
};

const revoke: Run = async (api, [site = "", id = ""]) => {
  await api.request("DELETE", `${await pathOf(api, site)}/${encodeURIComponent(id)}`);
  return { text: "revoked" };
};

export const access = { list, open, revoke };

async function pathOf(api: Api, site: string): Promise<string> {
  return `/v1/control-plane/${await siteId(api, site)}/transient-access`;
}

function describe(grant: TransientAccess): string {
  const { entry_point, port, username } = grant;
  return facts({
    [grant.type === "ssh" ? "SSH" : "WinBox"]:
      grant.type === "ssh" ? `ssh -p ${port} ${username}@${entry_point}` : `${entry_point}:${port}`,
    Username: username,
    Password: grant.password ?? "not shown: the token lacks credentials:reveal",
    Rights: grant.full_access ? "full" : "read",
    From: sourceOf(grant),
    Expires: `${grant.expires_at} UTC, ${grant.time_to_expire}`,
    Id: grant.id,
    ...(grant.warnings ? { Warnings: grant.warnings.join("; ") } : {}),
  });
}

function sourceOf(grant: TransientAccess): string {
  const sources = [
    grant.allow_only_ip,
    grant.allow_only_cidr,
    grant.allow_rfc1918 ? "private networks" : null,
  ];
  return sources.filter((source) => source !== null).join(", ");
}

function stateOf(grant: TransientAccess): string {
  if (grant.revoked_early) return "revoked";
  return grant.expired ? "expired" : `open, ends ${grant.time_to_expire}`;
}

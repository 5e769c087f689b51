import { type Plan, type Site, siteInput, sitePatch } from "@portreeve/api-schema";
import { facts, printable, table } from "../print.ts";
import { askPassword, readPassword } from "../secret-input.ts";
import { describeEffect } from "./effect.ts";
import { report } from "./hardening.ts";
import { checked, numeric, query } from "./input.ts";
import { listAll, policyId, siteId } from "./lists.ts";
import type { Run } from "./run-verb.ts";

const list: Run = async (api, _words, { status, policy }) => {
  const policy_id = typeof policy === "string" ? await policyId(api, policy) : undefined;
  const data = await listAll<Site>(api, "/v1/sites", { status, policy_id });
  const rows = data.map((site) => [
    site.name,
    site.address,
    site.status,
    syncOf(site),
    site.version,
    site.model,
    site.id,
  ]);
  return { data, text: table(["name", "address", "status", "sync", "routeros", "model", "id"], rows) };
};

const show: Run = async (api, [name = ""]) => {
  const data = (await api.request("GET", `/v1/sites/${await siteId(api, name)}`)) as Site;
  return { data, text: describe(data) };
};

const add: Run = async (api, [name], options) => {
  const { address, username, passwordFile, apiPort, managementTransport, tlsFingerprint, metered } = options;
  const password =
    typeof passwordFile === "string"
      ? await readPassword(passwordFile)
      : await askPassword(`Password of ${username} on ${address}: `);
  const input = checked(siteInput, {
    name,
    address,
    username,
    password,
    api_port: numeric(apiPort),
    management_transport: managementTransport,
    tls_fingerprint: tlsFingerprint,
    ...(metered ? { metered: true } : {}),
  });
  const data = (await api.request("POST", "/v1/sites", input)) as Site;
  return {
    data,
    text: `${describe(data)}\n\nThe router is being adopted; portreeve sites show ${data.id} shows the progress.`,
  };
};

const remove: Run = async (api, [name = ""], { force }) => {
  const id = await siteId(api, name);
  const data = (await api.request("DELETE", `/v1/sites/${id}${query({ force })}`)) as Site;
  const text = force ? "is removed; its router was not changed" : "is being off-boarded";
  return { data, text: `${printable(data.name)} ${text}` };
};

const plan: Run = async (api, [name = ""]) => {
  const data = (await api.request("GET", `/v1/sites/${await siteId(api, name)}/plan`)) as Plan;
  return { data, text: describeEffect(data) };
};

const reconcile: Run = async (api, [name = ""]) => {
  const data = (await api.request("POST", `/v1/sites/${await siteId(api, name)}/reconcile`)) as Site;
  return { data, text: `${printable(data.name)} is being reconciled now` };
};

const rename: Run = async (api, [site = "", name]) => {
  const patch = checked(sitePatch, { name });
  const data = (await api.request("PATCH", `/v1/sites/${await siteId(api, site)}`, patch)) as Site;
  return { data, text: `Renamed ${printable(site)} to ${printable(data.name)}` };
};

const metered: Run = async (api, [site = "", state]) => {
  const patch = checked(sitePatch, { metered: state === "on" ? true : state === "off" ? false : state });
  const data = (await api.request("PATCH", `/v1/sites/${await siteId(api, site)}`, patch)) as Site;
  const text = data.metered ? "is asked and read seldom now" : "is watched like any other now";
  return { data, text: `${printable(data.name)} ${text}` };
};

export const sites = { list, show, add, remove, plan, hardening: report, reconcile, rename, metered };

function describe(site: Site): string {
  return facts({
    Name: site.name,
    Id: site.id,
    Address: `${site.address}, ${site.management_transport} on port ${site.api_port}`,
    Certificate: certificateOf(site),
    Status: site.status,
    Sync: syncOf(site),
    Checked: site.sync.checked_at,
    "Last seen": site.last_seen_at,
    Identity: site.identity,
    Model: site.model,
    "Serial number": site.serial_number,
    RouterOS: site.version,
    "Policy id": site.policy_id,
    "Management address": site.management_address,
    Traffic: trafficOf(site),
  });
}

/** Of a server that is older there is none. */
function trafficOf({ metered, traffic }: Partial<Site>): string | null {
  if (!traffic) return null;
  const bytes = `${traffic.bytes_sent} bytes sent, ${traffic.bytes_received} received since ${traffic.since}`;
  return metered ? `${bytes}, metered` : bytes;
}

function certificateOf({ certificate, tls_fingerprint: fingerprint }: Site): string | null {
  if (!certificate) return fingerprint;
  const { name, issuer, not_after: end } = certificate;
  return `${name}, ${issuer}, until ${end.slice(0, 10)}, SHA-256 ${certificate.fingerprint}`;
}

function syncOf({ sync }: Site): string {
  return sync.reason === null ? sync.state : `${sync.state}: ${sync.reason}`;
}

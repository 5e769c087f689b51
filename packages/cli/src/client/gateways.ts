import { type CreatedGateway, type Gateway, gatewayInput } from "@portreeve/api-schema";
import { facts, table } from "../print.ts";
import { checked, numeric } from "./input.ts";
import { listAll } from "./lists.ts";
import type { Run } from "./run-verb.ts";

const list: Run = async (api) => {
  const data = await listAll<Gateway>(api, "/v1/gateways");
  const rows = data.map((gateway) => [
    gateway.name,
    gateway.connected ? "connected" : `away since ${gateway.last_seen_at ?? "it was added"}`,
    gateway.entry_point,
    `${gateway.first_port}-${gateway.last_port}`,
    String(gateway.grants),
    gateway.id,
  ]);
  return { data, text: table(["name", "state", "entry point", "ports", "access", "id"], rows) };
};

const add: Run = async (api, [name], { entryPoint, firstPort, lastPort }) => {
  const input = checked(gatewayInput, {
    name,
    entry_point: entryPoint,
    ...(firstPort !== undefined && { first_port: numeric(firstPort) }),
    ...(lastPort !== undefined && { last_port: numeric(lastPort) }),
  });
  const data = (await api.request("POST", "/v1/gateways", input)) as CreatedGateway;
  return {
    data,
    text: facts({
      Token: `${data.token}   (shown only this once)`,
      Name: data.name,
      "Entry point": data.entry_point,
      Ports: `${data.first_port}-${data.last_port}`,
      Id: data.id,
    }),
  };
};

const remove: Run = async (api, [id = ""]) => {
  await api.request("DELETE", `/v1/gateways/${encodeURIComponent(id)}`);
  return { text: "removed" };
};

export const gateways = { list, add, remove };

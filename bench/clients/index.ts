/** The clients that are compared, behind the two things a benchmark does with them. */
import type { Socket } from "node:net";
import { RouterClient } from "@portreeve/routeros";
import { RouterOSClient as MikroClient } from "mikro-routeros";
import { RouterOSAPI } from "node-routeros";
import { RouterOSClient } from "routeros-client";
import { PlainClient } from "./plain-client.ts";

export interface Client {
  /** The rows of a menu. */
  print(menu: string): Promise<readonly Readonly<Record<string, string>>[]>;
}

const host = "127.0.0.1";
export const username = "admin";
export const password = "benchmark";

export const clients = {
  portreeve: (port: number): Promise<Client> => RouterClient.connect({ host, port, username, password }),
  "node-routeros": (port: number): Promise<Client> => connectNodeRouteros(port, false),
  "node-routeros, TCP_NODELAY": (port: number): Promise<Client> => connectNodeRouteros(port, true),
  "routeros-client": connectRouterosClient,
  "mikro-routeros": connectMikroRouteros,
  "plain decoder": (port: number): Promise<Client> => PlainClient.connect({ port, username, password }),
};

export type ClientName = keyof typeof clients;

/**
 * It writes a command word by word, so the kernel holds all but the first back until the router has acknowledged that
 * (Nagle's algorithm and delayed acknowledgements: some 40 ms). `noDelay` shows what remains without this fault; the
 * library has no such setting.
 */
async function connectNodeRouteros(port: number, noDelay: boolean): Promise<Client> {
  const api = await new RouterOSAPI({ host, port, user: username, password }).connect();
  const { socket } = (api as unknown as { connector: { socket: Socket } }).connector;
  socket.setNoDelay(noDelay);
  return { print: (menu) => api.write([`${menu}/print`]) };
}

/** node-routeros below, with names in camel case and numbers and booleans as such on top. */
async function connectRouterosClient(port: number): Promise<Client> {
  const api = await new RouterOSClient({ host, port, user: username, password }).connect();
  return { print: (menu) => api.menu(menu).getAll() };
}

/** It sends no tags, so one command at a time. */
async function connectMikroRouteros(port: number): Promise<Client> {
  const client = new MikroClient(host, port);
  await client.connect();
  await client.login(username, password);
  return { print: (menu) => client.runQuery(`${menu}/print`) };
}

/** Other people's RouterOS clients, as a second pair of eyes: none of them shares code with us. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { RouterOSAPI } from "node-routeros";
import { RouterOSClient } from "routeros-client";

export interface RouterLogin {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

export type ForeignRow = Readonly<Record<string, string>>;

export interface ForeignClient {
  readonly name: string;
  /** Why this machine can't run it, or undefined. */
  readonly missing: string | undefined;
  /** Rows of a menu such as `/ip/service`. */
  print(login: RouterLogin, menu: string): Promise<ForeignRow[]>;
  /** Change the row of this name. */
  set(login: RouterLogin, menu: string, name: string, values: ForeignRow): Promise<void>;
}

const TIMEOUT_SECONDS = 10;

async function withNodeRouterOs<T>(login: RouterLogin, work: (api: RouterOSAPI) => Promise<T>): Promise<T> {
  const { host, port, username: user, password } = login;
  const api = new RouterOSAPI({ host, port, user, password, timeout: TIMEOUT_SECONDS });
  api.on("error", () => undefined);
  await api.connect();
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

const nodeRouterOs: ForeignClient = {
  name: "node-routeros",
  missing: undefined,
  print: (login, menu) =>
    withNodeRouterOs(login, async (api) => (await api.write(`${menu}/print`)) as unknown as ForeignRow[]),
  set: (login, menu, name, values) =>
    withNodeRouterOs(login, async (api) => {
      const words = Object.entries(values).map(([key, value]) => `=${key}=${value}`);
      const rows = (await api.write(`${menu}/print`)) as unknown as ForeignRow[];
      await api.write([`${menu}/set`, `=.id=${idOf(rows, name)}`, ...words]);
    }),
};

async function withRouterOsClient<T>(
  login: RouterLogin,
  work: (menu: ReturnType<RouterOSClient["api"]>) => Promise<T>,
): Promise<T> {
  const { host, port, username: user, password } = login;
  const client = new RouterOSClient({ host, port, user, password, timeout: TIMEOUT_SECONDS });
  client.on("error", () => undefined);
  const api = await client.connect();
  try {
    return await work(api);
  } finally {
    await client.close();
  }
}

/** It makes `$$path`, `id` and camel case of the router's names; this makes them RouterOS's again. */
function asSent(row: Record<string, unknown>): ForeignRow {
  const entries = Object.entries(row).map(([key, value]) => {
    const name = key === "id" ? ".id" : key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [name, String(value)];
  });
  return Object.fromEntries(entries);
}

const routerOsClient: ForeignClient = {
  name: "routeros-client",
  missing: undefined,
  print: (login, menu) =>
    withRouterOsClient(login, async (api) => (await api.menu(menu).getAll()).map(asSent)),
  set: (login, menu, name, values) =>
    withRouterOsClient(login, async (api) => {
      const rows = (await api.menu(menu).getAll()).map(asSent);
      await api.menu(menu).update(values, idOf(rows, name));
    }),
};

const PYTHON = "/usr/bin/python3";
const SCRIPT = `
import json, sys
import librouteros
order = json.load(sys.stdin)
login = order["login"]
api = librouteros.connect(login["host"], login["username"], login["password"], port=login["port"], timeout=${TIMEOUT_SECONDS})
path = api.path(*order["menu"].strip("/").split("/"))
rows = list(path)
if "set" in order:
    target = next(r for r in rows if r["name"] == order["name"] and not r.get("dynamic"))
    path.update(**{".id": target[".id"]}, **order["set"])
def plain(v):
    return ("true" if v else "false") if isinstance(v, bool) else str(v)
print(json.dumps([{k: plain(v) for k, v in r.items()} for r in rows]))
api.close()
`;

async function runPython(order: object): Promise<ForeignRow[]> {
  const running = promisify(execFile)(PYTHON, ["-c", SCRIPT]);
  running.child.stdin?.end(JSON.stringify(order));
  return JSON.parse((await running).stdout);
}

const librouteros: ForeignClient = {
  name: "librouteros (Python)",
  missing:
    spawnSync(PYTHON, ["-c", "import librouteros"]).status === 0
      ? undefined
      : `${PYTHON} can't import librouteros (Debian: python3-librouteros)`,
  print: (login, menu) => runPython({ login, menu }),
  async set(login, menu, name, values) {
    await runPython({ login, menu, name, set: values });
  },
};

/** From 7.19 open connections are rows of `/ip/service` too, under the name of their service. */
function idOf(rows: readonly ForeignRow[], name: string): string {
  const id = rows.find((row) => row.name === name && row.dynamic !== "true")?.[".id"];
  if (id === undefined) throw new Error(`no row is called ${name}`);
  return id;
}

export const FOREIGN_CLIENTS: readonly ForeignClient[] = [nodeRouterOs, routerOsClient, librouteros];

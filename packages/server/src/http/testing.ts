/** A real server for tests: real PostgreSQL, real sockets on a free port of the loopback. */
import { randomBytes, randomUUID } from "node:crypto";
import type { Scope } from "@portreeve/api-schema";
import type { Database, Trx } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { createLogger } from "../kernel/log.ts";
import { Authenticator, ensureBootstrap } from "../tokens/index.ts";
import { insertToken } from "../tokens/store.ts";
import { generateToken, hashToken } from "../tokens/token-text.ts";
import { Keyring, Vault } from "../vault/index.ts";
import { type AppOptions, buildApp } from "./app.ts";
import type { TypedApp } from "./typed-app.ts";

export interface TestServerOptions extends Partial<AppOptions> {
  onFirstCustomer?: (trx: Trx, customerId: string) => Promise<void>;
}

export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string;
  app: TypedApp;
  database: Database;
  test: TestDatabase;
  vault: Vault;
  customerId: string;
  /** Every scope of the first customer. */
  token: string;
  /** fetch with the admin token and a JSON body; `token: null` sends none. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  /** Another token, of the first customer unless given. */
  mint(options: { scopes: readonly Scope[]; customerId?: string; expiresAt?: Date | null }): Promise<string>;
  /** Another customer, with nothing of its own. */
  addCustomer(): Promise<string>;
}

interface CallOptions {
  body?: unknown;
  token?: string | null;
  headers?: Record<string, string>;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  await using opening = new AsyncDisposableStack();
  const { onFirstCustomer, ...appOptions } = options;
  const test = opening.use(await createTestDatabase());
  const { database } = test;
  const vault = new Vault(new Keyring(new Map([[1, randomBytes(32)]])));
  const log = createLogger("silent");
  const token = `test-${randomBytes(24).toString("hex")}`;
  const bootstrapped = await ensureBootstrap(database, {
    token,
    ...(onFirstCustomer ? { onFirstCustomer } : {}),
  });
  const authenticator = opening.use(new Authenticator(database, log));
  const app = buildApp({
    log,
    database,
    vault,
    authenticate: (text) => authenticator.authenticate(text),
    routes: [],
    ...appOptions,
  });
  opening.defer(() => app.close());
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const closing = opening.move();
  const customerId = bootstrapped?.customerId ?? "";
  return {
    url,
    app,
    database,
    test,
    vault,
    customerId,
    token,
    call: (method, path, call = {}) => fetch(url + path, requestOf(method, token, call)),
    mint: ({ scopes, customerId: owner = customerId, expiresAt = null }) =>
      mint(database, owner, scopes, expiresAt),
    addCustomer: () => addCustomer(database),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function requestOf(
  method: string,
  adminToken: string,
  { body, token = adminToken, headers }: CallOptions,
): RequestInit {
  return {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}

async function mint(
  database: Database,
  customerId: string,
  scopes: readonly Scope[],
  expiresAt: Date | null,
): Promise<string> {
  const id = randomUUID();
  const token = generateToken(id);
  const row = { id, customerId, name: "test", hash: hashToken(token.reveal()), scopes, expiresAt };
  await database.asSystem((trx) => insertToken(trx, row));
  return token.reveal();
}

async function addCustomer(database: Database): Promise<string> {
  const id = randomUUID();
  await database.asSystem((trx) => trx.insertInto("customers").values({ id, name: "other" }).execute());
  return id;
}

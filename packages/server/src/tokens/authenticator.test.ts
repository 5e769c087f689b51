import { randomUUID } from "node:crypto";
import { SCOPES, type Scope } from "@portreeve/api-schema";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { createLogger } from "../kernel/log.ts";
import { Authenticator } from "./authenticator.ts";
import { ensureBootstrap } from "./bootstrap.ts";
import { insertToken } from "./store.ts";
import { generateToken, hashToken } from "./token-text.ts";

const silentLog = createLogger("silent");

let testDatabase: TestDatabase;
let customerId: string;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  customerId = (await ensureBootstrap(testDatabase.database))?.customerId ?? "";
});
afterAll(() => testDatabase.drop());

async function token(
  options: { scopes?: Scope[]; expiresIn?: string } = {},
): Promise<{ id: string; text: string }> {
  const id = randomUUID();
  const text = generateToken(id).reveal();
  await testDatabase.database.asSystem(async (trx) => {
    const scopes = options.scopes ?? SCOPES;
    await insertToken(trx, { id, customerId, name: "t", hash: hashToken(text), scopes, expiresAt: null });
    if (options.expiresIn === undefined) return;
    const expires = sql<Date>`now() + ${options.expiresIn}::interval`;
    await trx.updateTable("api_tokens").set({ expires_at: expires }).where("id", "=", id).execute();
  });
  return { id, text };
}

const lastUse = (id: string) =>
  testDatabase.database.asSystem(async (trx) => {
    const row = await trx
      .selectFrom("api_tokens")
      .select("last_used_at")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    return row.last_used_at;
  });

const newAuthenticator = () => new Authenticator(testDatabase.database, silentLog);

test("a good token tells whose it is and what it may do", async () => {
  await using authenticator = newAuthenticator();
  const { id, text } = await token({ scopes: ["sites:read", "audit:read"] });
  expect(await authenticator.authenticate(text)).toEqual({
    customerId,
    tokenId: id,
    tokenName: "t",
    scopes: new Set(["sites:read", "audit:read"]),
  });
});

test("a token ends at its time by the clock of the database, and at once when revoked", async () => {
  await using authenticator = newAuthenticator();
  const { text: over } = await token({ expiresIn: "-1 second" });
  const { text: lasting } = await token({ expiresIn: "1 hour" });
  expect(await authenticator.authenticate(over)).toBeUndefined();
  expect(await authenticator.authenticate(lasting)).toBeDefined();
  await testDatabase.database.asSystem((trx) =>
    trx
      .updateTable("api_tokens")
      .set({ revoked_at: sql<Date>`now()` })
      .where("token_hash", "=", hashToken(lasting))
      .execute(),
  );
  expect(await authenticator.authenticate(lasting)).toBeUndefined();
});

test("what can be no token is refused without asking the database", async () => {
  await using closed = await createTestDatabase();
  await closed.database.close();
  const authenticator = new Authenticator(closed.database, silentLog);
  for (const text of ["", "short", "x".repeat(31), "x".repeat(513)]) {
    expect(await authenticator.authenticate(text)).toBeUndefined();
  }
  await expect(authenticator.authenticate("x".repeat(32))).rejects.toThrow();
});

test("the last use is recorded, and at most once a minute", async () => {
  await using authenticator = newAuthenticator();
  const { id, text } = await token();
  expect(await lastUse(id)).toBeNull();
  await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(text)));
  await authenticator.drain();
  const first = await lastUse(id);
  expect(first).toBeInstanceOf(Date);

  await authenticator.authenticate(text);
  await authenticator.drain();
  expect(await lastUse(id)).toEqual(first);

  await testDatabase.database.asSystem((trx) =>
    trx
      .updateTable("api_tokens")
      .set({ last_used_at: sql<Date>`now() - interval '61 seconds'` })
      .where("id", "=", id)
      .execute(),
  );
  const aged = await lastUse(id);
  await authenticator.authenticate(text);
  await authenticator.drain();
  expect((await lastUse(id))?.getTime()).toBeGreaterThan(aged?.getTime() ?? 0);
});

test("without the database a token that proved good lately is known for ending access, and for nothing else", async () => {
  await using away = await createTestDatabase();
  await ensureBootstrap(away.database, { token: "a-bootstrap-token-of-this-test-alone" });
  const authenticator = new Authenticator(away.database, silentLog);
  const text = "a-bootstrap-token-of-this-test-alone";
  const holder = await authenticator.authenticate(text);
  await authenticator.drain();
  await away.database.close();
  const without = { withoutDatabase: true };
  expect(await authenticator.authenticate(text, without)).toEqual(holder);
  await expect(authenticator.authenticate(text)).rejects.toThrow();
  await expect(authenticator.authenticate(generateToken(randomUUID()).reveal(), without)).rejects.toThrow();
});

test("a token that was revoked is not remembered", async () => {
  await using away = await createTestDatabase();
  const text = "a-bootstrap-token-of-this-test-alone";
  await ensureBootstrap(away.database, { token: text });
  const authenticator = new Authenticator(away.database, silentLog);
  await authenticator.authenticate(text);
  await authenticator.drain();
  await away.database.asSystem((trx) =>
    trx.updateTable("api_tokens").set({ revoked_at: sql<Date>`now()` }).execute(),
  );
  expect(await authenticator.authenticate(text)).toBeUndefined();
  await away.database.close();
  await expect(authenticator.authenticate(text, { withoutDatabase: true })).rejects.toThrow();
});

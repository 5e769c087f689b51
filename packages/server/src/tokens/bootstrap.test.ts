import { SCOPES } from "@portreeve/api-schema";
import { expect, test } from "vitest";
import { createTestDatabase } from "../database/testing.ts";
import { createLogger } from "../kernel/log.ts";
import { Authenticator } from "./authenticator.ts";
import { ensureBootstrap } from "./bootstrap.ts";
import { BootstrapTokenError } from "./errors.ts";

const silentLog = createLogger("silent");

const CHOSEN = "an-operator-chose-this-token-0001";

test("the first start makes a customer and a token with every scope, returned once", async () => {
  await using testDatabase = await createTestDatabase();
  const { database } = testDatabase;
  const made = await ensureBootstrap(database);
  const token = made?.generatedToken?.reveal() ?? "";
  expect(token).toMatch(/^prv_/);
  await using authenticator = new Authenticator(database, silentLog);
  const holder = await authenticator.authenticate(token);
  expect(holder).toMatchObject({ customerId: made?.customerId, scopes: new Set(SCOPES) });
  expect(await ensureBootstrap(database)).toBeUndefined();
  expect(await testDatabase.dump()).not.toContain(token);
});

test("a token the operator chose is taken as it is and not returned", async () => {
  await using testDatabase = await createTestDatabase();
  const made = await ensureBootstrap(testDatabase.database, { token: CHOSEN });
  expect(made?.generatedToken).toBeUndefined();
  await using authenticator = new Authenticator(testDatabase.database, silentLog);
  expect((await authenticator.authenticate(CHOSEN))?.customerId).toBe(made?.customerId);
});

test("another chosen token at a later start does not open anything", async () => {
  await using testDatabase = await createTestDatabase();
  await ensureBootstrap(testDatabase.database, { token: CHOSEN });
  const later = `${CHOSEN}-later`;
  expect(await ensureBootstrap(testDatabase.database, { token: later })).toBeUndefined();
  await using authenticator = new Authenticator(testDatabase.database, silentLog);
  expect(await authenticator.authenticate(later)).toBeUndefined();
});

test("a chosen token that is too short or can't be sent is an error that does not show it", async () => {
  await using testDatabase = await createTestDatabase();
  for (const token of ["", "canary", "canary-".repeat(4), `${"canary ".repeat(8)}`]) {
    const error = await ensureBootstrap(testDatabase.database, { token }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BootstrapTokenError);
    expect(String(error)).not.toContain("canary");
  }
  const customers = await testDatabase.database.asSystem((trx) =>
    trx.selectFrom("customers").selectAll().execute(),
  );
  expect(customers).toEqual([]);
});

test("of several processes that start at once one makes the customer", async () => {
  await using testDatabase = await createTestDatabase();
  const { database } = testDatabase;
  const hooked: string[] = [];
  const starts = Array.from({ length: 8 }, () =>
    ensureBootstrap(database, {
      onFirstCustomer: async (_trx, customerId) => {
        hooked.push(customerId);
      },
    }),
  );
  const made = (await Promise.all(starts)).filter((one) => one !== undefined);
  expect(made).toHaveLength(1);
  expect(hooked).toEqual([made[0]?.customerId]);
  const count = await database.asSystem((trx) => trx.selectFrom("api_tokens").select("id").execute());
  expect(count).toHaveLength(1);
});

test("when what a customer starts with can't be made, nothing is, and the next start tries again", async () => {
  await using testDatabase = await createTestDatabase();
  const { database } = testDatabase;
  const failing = ensureBootstrap(database, {
    onFirstCustomer: async () => {
      throw new Error("no default policy");
    },
  });
  await expect(failing).rejects.toThrow("no default policy");
  expect(await ensureBootstrap(database)).toBeDefined();
});

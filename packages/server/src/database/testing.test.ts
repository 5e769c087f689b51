import { expect, test } from "vitest";
import { createTestDatabase } from "./testing.ts";

test("each test database is fresh, migrated and its own", async () => {
  await using acme = await createTestDatabase();
  await using other = await createTestDatabase();
  await acme.database.asSystem((trx) => trx.insertInto("customers").values({ name: "Acme" }).execute());
  expect(await acme.dump()).toContain("Acme");
  expect(await other.dump()).not.toContain("Acme");
  expect(await other.dump()).toContain("0001_initial.sql");
});

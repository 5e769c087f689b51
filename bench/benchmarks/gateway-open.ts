/** Opening and revoking access with 5,000 open, beside the same with ten open: the cost must not follow the number. */
import { randomBytes } from "node:crypto";
import { offerTestServer } from "../../packages/server/src/database/test-server.ts";
import { createTestDatabase } from "../../packages/server/src/database/testing.ts";
import { type BenchmarkContext, type Measurement, Worker } from "../harness.ts";

const FEW = 10;
const MANY = 5_000;
const MILLISECONDS = 8_000;
const ROUNDS = 2;

type Figures = Record<"perSecond" | "openP99" | "revokeP99", number>;

export async function gatewayOpen(context: BenchmarkContext): Promise<Measurement[]> {
  await using _server = await offerTestServer();
  // In turns, so that what else the machine does hits both alike.
  const few: Figures[] = [];
  const many: Figures[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    few.push(await measure(context, FEW));
    many.push(await measure(context, MANY));
  }
  const best = (all: readonly Figures[]) => all.toSorted((a, b) => b.perSecond - a.perSecond)[0] as Figures;
  const [value, base] = [best(many), best(few)];
  const baseline = `${FEW} open`;
  return [
    {
      name: "gateway-open",
      value: value.perSecond,
      unit: `opened and revoked/s, ${MANY} open`,
      baseline,
      baselineValue: base.perSecond,
      better: "higher",
    },
    ...(["openP99", "revokeP99"] as const).map((name) => ({
      name: name === "openP99" ? "gateway-open p99" : "gateway-revoke p99",
      value: value[name],
      unit: `ms, ${MANY} open`,
      baseline,
      baselineValue: base[name],
      better: "lower" as const,
    })),
  ];
}

async function measure(context: BenchmarkContext, count: number): Promise<Figures> {
  await using database = await createTestDatabase();
  const databaseUrl = database.connectionString;
  const token = randomBytes(24).toString("hex");
  await using server = await Worker.start("access", context);
  await using load = await Worker.start("access", context);
  const url = await server.ask<string>("serve", { databaseUrl, token });
  const sites = await load.ask<string[]>("sites", { databaseUrl });
  await load.ask("fill", { databaseUrl, count });
  // Until the gateway has been told of all: the load's own would wait behind them.
  await load.ask("load", { url, token, sites, milliseconds: MILLISECONDS / 2 });
  return await load.ask<Figures>("load", { url, token, sites, milliseconds: MILLISECONDS });
}

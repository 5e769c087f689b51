/** Requests per second of the policies list beside a bare route with the same SELECT on the same PostgreSQL. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate, startEmbedded } from "../../packages/server/src/database/index.ts";
import { silentLog } from "../../packages/server/src/database/log.ts";
import { type BenchmarkContext, interleave, type Measurement, Worker } from "../harness.ts";
import { POLICIES, policyInput } from "../policies.ts";

const ROUNDS = 5;
const LOAD = { path: POLICIES, connections: 32, milliseconds: 1_000 };
/** Beside the default policy. */
const ADDED_POLICIES = 9;

export async function httpPolicies(context: BenchmarkContext): Promise<Measurement[]> {
  await using resources = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "portreeve-bench-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const { connection } = resources.use(await startEmbedded({ dataDir, log: silentLog }));
  await migrate(connection, { log: silentLog });

  const token = randomBytes(24).toString("hex");
  const ports = {
    portreeve: await resources
      .use(await Worker.start("api", context))
      .ask<number>("portreeve", { connection, token }),
    bare: await resources.use(await Worker.start("api", context)).ask<number>("bare", { connection }),
  };
  for (let index = 1; index <= ADDED_POLICIES; index++) await createPolicy(ports.portreeve, token, index);

  const load = resources.use(await Worker.start("http-load", context));
  const ask = (port: number) => load.ask<{ requestsPerSecond: number }>("load", { ...LOAD, port, token });
  const { portreeve, bare } = await interleave(ROUNDS, {
    portreeve: () => ask(ports.portreeve),
    bare: () => ask(ports.bare),
  });
  return [
    {
      name: "http-policies",
      value: portreeve.requestsPerSecond,
      unit: "requests/s",
      baseline: "bare fastify route, same SELECT",
      baselineValue: bare.requestsPerSecond,
      better: "higher",
    },
  ];
}

async function createPolicy(port: number, token: string, index: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${POLICIES}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(policyInput(index)),
  });
  if (response.status !== 201)
    throw new Error(`policy not created: ${response.status} ${await response.text()}`);
}

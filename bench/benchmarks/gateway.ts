/** Bytes through the gateway beside a direct connection and beside a proxy of two piped sockets. */
import { type BenchmarkContext, interleave, type Measurement, Worker } from "../harness.ts";

const ROUNDS = 5;
const DIRECT = "direct connection";
const PIPE = "piped sockets";

/**
 * MiB per second of one connection. Source and sink share a process, so that on two processors the gateway has one
 * to itself, as on a host of its own.
 */
export async function gatewayThroughput(context: BenchmarkContext): Promise<Measurement[]> {
  const rates = await compare<{ mebibytesPerSecond: number }>(context, "sink", (near, port) =>
    near.ask("transfer", { port, mebibytes: 256 }),
  );
  return ([DIRECT, PIPE] as const).map((baseline) => ({
    name: `gateway-throughput${baseline === PIPE ? "-pipe" : ""}`,
    value: rates.gateway.mebibytesPerSecond,
    unit: "MiB/s",
    baseline,
    baselineValue: rates[baseline].mebibytesPerSecond,
    better: "higher",
  }));
}

/** Round trip of 64 bytes over an open connection. The echo has its own process: to be woken is part of the way. */
export async function gatewayLatency(context: BenchmarkContext): Promise<Measurement[]> {
  const times = await compare<{ p50: number; p99: number }>(context, "echo", (near, port) =>
    near.ask("pingPong", { port, count: 5_000 }),
  );
  return ([DIRECT, PIPE] as const).flatMap((baseline) =>
    (["p50", "p99"] as const).map(
      (share): Measurement => ({
        name: `gateway-latency-${share}${baseline === PIPE ? "-pipe" : ""}`,
        value: times.gateway[share],
        unit: "µs",
        baseline,
        baselineValue: times[baseline][share],
        better: "lower",
      }),
    ),
  );
}

async function compare<S extends Readonly<Record<string, number>>>(
  context: BenchmarkContext,
  target: "sink" | "echo",
  measure: (near: Worker, port: number) => Promise<S>,
) {
  await using workers = new AsyncDisposableStack();
  const near = workers.use(await Worker.start("traffic", context));
  const far = target === "sink" ? near : workers.use(await Worker.start("traffic", context));
  const { [target]: direct } = await far.ask<{ sink: number; echo: number }>("listen");
  const gateway = await workers
    .use(await Worker.start("gateway", context))
    .ask<number>("gateway", { port: direct });
  const pipe = await workers
    .use(await Worker.start("gateway", context))
    .ask<number>("pipe", { port: direct });
  return await interleave(ROUNDS, {
    gateway: () => measure(near, gateway),
    [DIRECT]: () => measure(near, direct),
    [PIPE]: () => measure(near, pipe),
  });
}

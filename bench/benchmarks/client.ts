/** Our RouterOS client beside others and beside the plainest decoder, all fed by the same server. */
import { spawnSync } from "node:child_process";
import type { ClientName } from "../clients/index.ts";
import { type BenchmarkContext, interleave, type Measurement, Worker } from "../harness.ts";

/** What is over in a tenth of a second takes more rounds to find the middle of. */
const ROUNDS = { replay: 7, emulator: 3 };
/** Debian's python3-librouteros: measured where it is installed, in a process of Python. */
const PYTHON = "librouteros";
const hasLibrouteros = () => spawnSync("/usr/bin/python3", ["-c", "import librouteros"]).status === 0;
/** What a measurement's name ends with, by its baseline. */
const SUFFIXES = {
  "node-routeros": "",
  "node-routeros, TCP_NODELAY": "-nodelay",
  "routeros-client": "-routeros-client",
  librouteros: "-librouteros",
  "plain decoder": "-plain",
} as const satisfies Partial<Record<ClientName | typeof PYTHON, string>>;
type Other = keyof typeof SUFFIXES;
type Contender = "portreeve" | Other;
const allOthers = () =>
  (Object.keys(SUFFIXES) as Other[]).filter((name) => name !== PYTHON || hasLibrouteros());

interface Server {
  /** Its worker. */
  readonly name: keyof typeof ROUNDS;
  readonly input?: object;
}

const REPLAY: Server = { name: "replay", input: { accents: false } };

/** Rows per second of a `print` of 10,000 rows, and the heap a row takes while it is kept. */
export async function decodeRows(context: BenchmarkContext): Promise<Measurement[]> {
  return [
    ...(await rowsFrom(context, "decode-rows", REPLAY)),
    ...(await heapOfRows(context)),
    ...(await rowsFrom(context, "decode-rows-utf8", { name: "replay", input: { accents: true } })),
    ...(await rowsFrom(context, "decode-rows-emulator", { name: "emulator" })),
  ];
}

// A print is one command: how its words are written makes no difference.
const rowOthers = () => allOthers().filter((client) => client !== "node-routeros, TCP_NODELAY");

async function rowsFrom(context: BenchmarkContext, name: string, server: Server): Promise<Measurement[]> {
  const times = server.name === "replay" ? 2 : 1;
  const others = rowOthers();
  const rates = await race<{ rowsPerSecond: number }>(context, server, others, (worker) =>
    worker.ask("rows", { times }),
  );
  return others.map((baseline) => ({
    name: `${name}${SUFFIXES[baseline]}`,
    value: rates.portreeve.rowsPerSecond,
    unit: "rows/s",
    baseline,
    baselineValue: rates[baseline].rowsPerSecond,
    better: "higher",
  }));
}

async function heapOfRows(context: BenchmarkContext): Promise<Measurement[]> {
  const others = rowOthers().filter((client) => client !== PYTHON);
  const heap = await race<{ heapBytesPerRow: number }>(context, REPLAY, others, (worker) =>
    worker.ask("heap"),
  );
  return others.map((baseline) => ({
    name: `decode-rows-heap${SUFFIXES[baseline]}`,
    value: heap.portreeve.heapBytesPerRow,
    unit: "bytes/row",
    baseline,
    baselineValue: heap[baseline].heapBytesPerRow,
    better: "lower",
  }));
}

/** Short commands per second, the next sent when the last is answered. */
export const commandsSequential = (context: BenchmarkContext) => commands(context, "commands-sequential", 1);

/** The same with 64 commands on their way at any time. */
export const commandsPipelined = (context: BenchmarkContext) => commands(context, "commands-pipelined", 64);

async function commands(context: BenchmarkContext, name: string, inFlight: number): Promise<Measurement[]> {
  // librouteros sends a command when the last is answered.
  const others = allOthers().filter((client) => client !== PYTHON || inFlight === 1);
  const rates = await race<{ commandsPerSecond: number }>(context, REPLAY, others, (worker) =>
    worker.ask("commands", { inFlight, milliseconds: 300 }),
  );
  return others.map((baseline) => ({
    name: `${name}${SUFFIXES[baseline]}`,
    value: rates.portreeve.commandsPerSecond,
    unit: "commands/s",
    baseline,
    baselineValue: rates[baseline].commandsPerSecond,
    better: "higher",
  }));
}

/** One worker per client, all connected to one server; each in turn does the `work`. */
async function race<S extends Readonly<Record<string, number>>>(
  context: BenchmarkContext,
  server: Server,
  others: readonly Other[],
  work: (worker: Worker) => Promise<S>,
): Promise<Record<Contender, S>> {
  await using workers = new AsyncDisposableStack();
  const port = await workers.use(await Worker.start(server.name, context)).ask("listen", server.input);
  const contenders: Partial<Record<Contender, () => Promise<S>>> = {};
  for (const name of ["portreeve", ...others] as const) {
    const worker = workers.use(await Worker.start(name === PYTHON ? "librouteros" : "client", context));
    await worker.ask("connect", { name, port });
    contenders[name] = () => work(worker);
  }
  return await interleave(ROUNDS[server.name], contenders as Record<Contender, () => Promise<S>>);
}

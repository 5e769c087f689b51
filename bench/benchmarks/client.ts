/** Our RouterOS client beside others and beside the plainest decoder, all fed by the same server. */
import { spawnSync } from "node:child_process";
import type { ClientName } from "../clients/index.ts";
import { type BenchmarkContext, interleave, type Measurement, Worker } from "../harness.ts";
import type { Turn } from "../workers/client.ts";

/**
 * Many short turns of which each client's upper quartile counts. What else the machine does only ever slows them down,
 * and a short turn is often spared.
 */
const REPLAY: Server = { name: "replay", input: { accents: false }, rounds: 12, warmUp: 3, share: 0.75 };
const REPLAY_UTF8: Server = { ...REPLAY, input: { accents: true } };
const REPLAY_COMMANDS: Server = { ...REPLAY, rounds: 30, warmUp: 10 };
/** Bytes differ by little from turn to turn. */
const REPLAY_BYTES: Server = { ...REPLAY, rounds: 3, share: 0.5 };
const EMULATOR: Server = { name: "emulator", rounds: 6, warmUp: 1, share: 0.75 };
/** A client that takes longer for one print takes its time. */
const ROWS_TURN_MS = 150;
const COMMANDS_TURN_MS = 50;

/** Debian's python3-librouteros: measured where it is installed, in a process of Python. */
const PYTHON = "librouteros";
const hasLibrouteros = () => spawnSync("/usr/bin/python3", ["-c", "import librouteros"]).status === 0;
/** What a measurement's name ends with, by its baseline. */
const SUFFIXES = {
  "node-routeros": "",
  "node-routeros, TCP_NODELAY": "-nodelay",
  "routeros-client": "-routeros-client",
  "mikro-routeros": "-mikro-routeros",
  librouteros: "-librouteros",
  "plain decoder": "-plain",
} as const satisfies Partial<Record<ClientName | typeof PYTHON, string>>;
type Other = keyof typeof SUFFIXES;
type Contender = "portreeve" | Other;
const allOthers = (...without: Other[]) =>
  (Object.keys(SUFFIXES) as Other[])
    .filter((name) => name !== PYTHON || hasLibrouteros())
    .filter((name) => !without.includes(name));

interface Server {
  /** Its worker. */
  readonly name: "replay" | "emulator";
  readonly input?: object;
  readonly rounds: number;
  /** Turns before those that count. */
  readonly warmUp: number;
  /** Of the turns, sorted, the figure below which this share lies. */
  readonly share: number;
}

/** Rows per second of a `print` of 10,000 rows, and the heap a row takes: while it is kept, and in all. */
export async function decodeRows(context: BenchmarkContext): Promise<Measurement[]> {
  // A print is one command: how its words are written makes no difference.
  const others = allOthers("node-routeros, TCP_NODELAY");
  const inNode = others.filter((client) => client !== PYTHON);
  const rows = (name: string, server: Server) => {
    const task: Task = (worker) => worker.ask("rows", { milliseconds: ROWS_TURN_MS });
    return compare(context, { name, unit: "rows/s", better: "higher" }, server, task, others);
  };
  const bytes = (name: string, task: string) =>
    compare(
      context,
      { name, unit: "bytes/row", better: "lower" },
      REPLAY_BYTES,
      (worker) => worker.ask(task),
      inNode,
    );
  return [
    ...(await rows("decode-rows", REPLAY)),
    ...(await bytes("decode-rows-heap", "heap")),
    ...(await bytes("decode-rows-allocated", "allocations")),
    ...(await rows("decode-rows-utf8", REPLAY_UTF8)),
    ...(await rows("decode-rows-emulator", EMULATOR)),
  ];
}

/** Short commands per second, the next sent when the last is answered. */
export const commandsSequential = (context: BenchmarkContext) =>
  commands(context, "commands-sequential", 1, allOthers());

/** The same with 64 commands on their way at any time, by those that can. */
export const commandsPipelined = (context: BenchmarkContext) =>
  commands(context, "commands-pipelined", 64, allOthers(PYTHON, "mikro-routeros"));

function commands(context: BenchmarkContext, name: string, inFlight: number, others: readonly Other[]) {
  const about = { name, unit: "commands/s", better: "higher" } as const;
  const task: Task = (worker) => worker.ask("commands", { inFlight, milliseconds: COMMANDS_TURN_MS });
  return compare(context, about, REPLAY_COMMANDS, task, others);
}

type Task = (worker: Worker) => Promise<Turn>;

/** One worker per client, all connected to one server; each in turn does the task. */
async function compare(
  context: BenchmarkContext,
  about: Pick<Measurement, "name" | "unit" | "better">,
  server: Server,
  task: Task,
  others: readonly Other[],
): Promise<Measurement[]> {
  await using workers = new AsyncDisposableStack();
  const port = await workers.use(await Worker.start(server.name, context)).ask("listen", server.input);
  const worst = new Map<Contender, Turn>();
  const contenders: Partial<Record<Contender, () => Promise<Turn>>> = {};
  for (const name of ["portreeve", ...others] as const) {
    const worker = workers.use(await Worker.start(name === PYTHON ? "librouteros" : "client", context));
    await worker.ask("connect", { name, port });
    contenders[name] = async () => {
      const turn = await task(worker);
      if (isWorse(turn, worst.get(name))) worst.set(name, turn);
      return turn;
    };
  }
  const turns = await interleave(server.rounds, contenders as Record<Contender, () => Promise<Turn>>, server);
  const fault = faultOf(worst.get("portreeve"));
  if (fault) throw new Error(`our own client: ${fault.count} ${fault.unit}`);
  return others.map((baseline) => {
    const name = `${about.name}${SUFFIXES[baseline]}`;
    const failed = faultOf(worst.get(baseline));
    // How fast somebody loses rows says nothing.
    if (failed)
      return { name, unit: failed.unit, better: "lower", value: 0, baseline, baselineValue: failed.count };
    return { ...about, name, value: turns.portreeve.value, baseline, baselineValue: turns[baseline].value };
  });
}

function isWorse(turn: Turn, than: Turn | undefined): boolean {
  return !than || turn.unanswered > than.unanswered || turn.lost > than.lost;
}

function faultOf(turn: Turn | undefined): { count: number; unit: string } | undefined {
  if (turn?.unanswered) return { count: turn.unanswered, unit: "commands unanswered" };
  if (turn?.lost) return { count: turn.lost, unit: "rows lost" };
  return undefined;
}

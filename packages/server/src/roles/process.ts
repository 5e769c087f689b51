/**
 * The process of one role: started by the supervisor with the role's name, told its settings over the channel.
 * It ends when it is told to, and at once when the supervisor is gone: a role without one would hold its ports and its
 * routers against the next start.
 */
import type { FromRole, ToRole } from "../supervisor/messages.ts";
import type { Problems, RunningRole, StartRole } from "./role.ts";

const [role = ""] = process.argv.slice(2);

/** Between two looks at what does not work, milliseconds. */
const LOOK_EVERY_MS = 500;

// Ctrl-C reaches every process of the terminal; the supervisor decides in which order they stop.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit(1));

const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
process.on("SIGTERM", () => stop());
const { promise: told, resolve: tell } = Promise.withResolvers<Extract<ToRole, { type: "start" }>>();
let others: Problems = {};
process.on("message", (message: ToRole) => {
  if (message.type === "start") tell(message);
  else if (message.type === "problems") others = message.problems;
  else stop();
});

// Kept from start to start: half of a start is reading and compiling what it runs.
(await import("node:module")).enableCompileCache();
// Loaded while the database is still starting.
const [{ startRole }, { createLogger }, { toPlainError }, { config, embedded, localGateway }] =
  await Promise.all([
    import(`./${role}.ts`) as Promise<{ startRole: StartRole }>,
    import("../kernel/log.ts"),
    import("../supervisor/messages.ts"),
    told,
  ]);
const log = createLogger(config.logLevel, process.stderr).child({ role });
try {
  let isStarting = true;
  // A start that nobody waits for any more has nothing that outlives this process.
  void stopped.then(() => isStarting && process.exit(0));
  const context = { config, embedded, localGateway, log, otherProblems: async () => others };
  await using running = await startRole(context);
  isStarting = false;
  say({ type: "ready", url: running.url, bootstrapToken: running.bootstrapToken });
  await reportProblems(running);
} catch (error) {
  await new Promise<void>((sent) =>
    process.send?.({ type: "failed", error: toPlainError(error) }, () => sent()),
  );
}
process.exit(0);

function say(message: FromRole): void {
  process.send?.(message);
}

/** Until it is stopped: what does not work, whenever that has changed. */
async function reportProblems(running: RunningRole): Promise<void> {
  let last = "{}";
  for (let isStopped = false; !isStopped; ) {
    const problems = await running.problems();
    const text = JSON.stringify(problems);
    if (text !== last) say({ type: "problems", problems });
    last = text;
    isStopped = await Promise.race([stopped.then(() => true), later(false)]);
  }
}

function later<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS, value).unref());
}

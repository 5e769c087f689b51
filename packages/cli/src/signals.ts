/** How a long-running command ends: graceful first, then forceful. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A stop that takes longer is cut off, milliseconds. */
const GRACE_MS = 30_000;

/**
 * A second signal sooner than this is the first one again, milliseconds: npm passes Ctrl-C on to its script, which
 * has had it from the terminal already.
 */
const SAME_SIGNAL_MS = 1000;

export interface Shutdown extends Disposable {
  /** Resolves at the first signal. */
  readonly requested: Promise<void>;
}

/**
 * From now on a signal asks for a graceful stop. A second one, or 30 seconds, end the process with exit code 1; what
 * runs beside it (the embedded PostgreSQL) is taken over by the next start.
 */
export function shutdownOnSignal(): Shutdown {
  const { promise, resolve } = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  const onSignal = () => {
    if (firstAt !== undefined && performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
    if (firstAt !== undefined) return;
    firstAt = performance.now();
    resolve();
    setTimeout(giveUp, GRACE_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    requested: promise,
    // Once a stop has begun the handlers stay: a signal in its last moments must not turn exit code 0 into another.
    [Symbol.dispose]() {
      if (firstAt === undefined) for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

function giveUp(): void {
  process.stderr.write(`portreeve: not stopped after ${GRACE_MS / 1000} s, ending now\n`);
  process.exit(1);
}

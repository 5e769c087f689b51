/** How a long-running command ends: graceful first, then forceful. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A stop that takes longer is cut off, milliseconds. */
const GRACE_MS = 30_000;

/** How long a start continues after a signal, so that it can be taken down again in order, milliseconds. */
const START_GRACE_MS = 5000;

/**
 * A second signal sooner than this is the first one again, milliseconds: npm passes Ctrl-C on to its script, which
 * has had it from the terminal already.
 */
const SAME_SIGNAL_MS = 1000;

export interface Shutdown extends Disposable {
  /** Resolves at the first signal. */
  readonly requested: Promise<void>;
  /**
   * Wait for a start. When a signal comes first, the start gets five seconds to end; then the process ends with
   * exit code 0 (a server may wait for its database for ever).
   */
  during<Started>(start: Promise<Started>): Promise<Started>;
}

/**
 * From now on a signal asks for a graceful stop. A second one, or 30 seconds, end the process with exit code 1; what
 * runs beside it (the embedded PostgreSQL) is taken over by the next start.
 */
export function shutdownOnSignal(): Shutdown {
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  // Signal handlers don't keep a process alive, and an emulated router none of whose ports could be opened has nothing
  // else that does.
  const alive = setInterval(() => {}, 2 ** 30);
  const onSignal = () => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      clearInterval(alive);
      resolve();
      setTimeout(giveUp, GRACE_MS).unref();
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    requested,
    async during(start) {
      let started = false;
      void requested.then(() => {
        if (!started) setTimeout(() => !started && process.exit(0), START_GRACE_MS).unref();
      });
      try {
        return await start;
      } finally {
        started = true;
      }
    },
    // Once a stop has begun the handlers stay: a signal in its last moments must not turn exit code 0 into another.
    [Symbol.dispose]() {
      clearInterval(alive);
      if (firstAt === undefined) for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

function giveUp(): void {
  process.stderr.write(`portreeve: not stopped after ${GRACE_MS / 1000} s, ending now\n`);
  process.exit(1);
}

/** After something was asked for, rounds follow each other this closely, for this long: what comes of it shows soon. */
const EAGER_PERIOD_MS = 1_000;
const EAGER_MS = 10_000;

/**
 * Run a round every few seconds while the page is seen, never two at once; a page that comes back into view, and
 * `now()`, run one at once.
 * @param {() => Promise<void>} round
 */
export function polling(round, periodMs) {
  let timer;
  let running = false;
  let again = false;
  let stopped = true;
  let eagerUntil = 0;

  async function run() {
    clearTimeout(timer);
    if (stopped || document.hidden) return;
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await round();
    } finally {
      running = false;
      const pause = performance.now() < eagerUntil ? EAGER_PERIOD_MS : periodMs;
      timer = setTimeout(run, again ? 0 : pause);
      again = false;
    }
  }

  document.addEventListener("visibilitychange", run);
  return {
    start() {
      stopped = false;
      run();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    now() {
      eagerUntil = performance.now() + EAGER_MS;
      run();
    },
  };
}

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
      timer = setTimeout(run, again ? 0 : periodMs);
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
    now: run,
  };
}

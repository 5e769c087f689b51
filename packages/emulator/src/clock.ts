/** The router's clock: the machine's time plus what a test has advanced it by. */
export class Clock {
  #offsetMs = 0;
  readonly #alarms = new Set<Alarm>();

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Run `action` once the clock reaches `atMs`; the returned function forgets it. */
  alarm(atMs: number, action: () => void): () => void {
    const alarm: Alarm = { atMs, action, timer: undefined };
    this.#alarms.add(alarm);
    this.#arm(alarm);
    return () => this.#forget(alarm);
  }

  /**
   * Move the clock forward. What falls due happens in the order of its time, each at its own.
   * @param settled asked before each step: what has begun and must end, or wait for the clock, before time goes on.
   *   Where it never has anything to wait for, all is done before the promise is returned.
   */
  async advance(ms: number, settled: () => Promise<void> | undefined = () => undefined): Promise<void> {
    // What has begun comes as far as it can first: a wait it then begins counts from before the step.
    for (let running = settled(); running; running = settled()) await running;
    const target = this.now() + ms;
    for (;;) {
      for (let running = settled(); running; running = settled()) await running;
      const due = [...this.#alarms].filter(({ atMs }) => atMs <= target);
      const [next] = due.toSorted((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#moveTo(next.atMs);
      this.#forget(next);
      next.action();
    }
    this.#moveTo(target);
    for (const alarm of [...this.#alarms]) this.#arm(alarm);
  }

  #moveTo(ms: number): void {
    this.#offsetMs += Math.max(0, ms - this.now());
  }

  stop(): void {
    for (const alarm of [...this.#alarms]) this.#forget(alarm);
  }

  #arm(alarm: Alarm): void {
    clearTimeout(alarm.timer);
    const left = alarm.atMs - this.now();
    if (left <= 0) {
      this.#forget(alarm);
      alarm.action();
      return;
    }
    // A timer holds 31 bits of milliseconds, 24.8 days; a longer wait is armed again.
    alarm.timer = setTimeout(() => this.#arm(alarm), Math.min(left, 2 ** 31 - 1));
    alarm.timer.unref();
  }

  #forget(alarm: Alarm): void {
    clearTimeout(alarm.timer);
    this.#alarms.delete(alarm);
  }
}

interface Alarm {
  readonly atMs: number;
  readonly action: () => void;
  timer: NodeJS.Timeout | undefined;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** "2026-09-26 03:00:00", or RouterOS 6's "sep/26/2026 03:00:00"; the emulator's time zone is UTC. */
export function formatTime(ms: number, iso: boolean): string {
  const [date = "", time = ""] = new Date(ms).toISOString().split("T");
  const clock = time.slice(0, 8);
  if (iso) return `${date} ${clock}`;
  const [year, month, day] = date.split("-");
  return `${MONTHS[Number(month) - 1]}/${day}/${year} ${clock}`;
}

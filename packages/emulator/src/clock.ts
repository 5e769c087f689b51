/**
 * The router's clock. Time runs on as the machine's does, plus what a test has advanced it by; the time of day is what
 * somebody set, or what a board without a battery has after a start. Waits are of the first kind: setting the clock
 * shortens and lengthens none.
 */
export class Clock {
  /** What a test has advanced time by. */
  #advancedMs = 0;
  /** Between the time of day and time that runs on. */
  #differenceMs = 0;
  readonly #alarms = new Set<Alarm>();
  /** One has come since they were last put in order. */
  #added = false;
  readonly #listeners = new Set<() => void>();

  /** The time of day, milliseconds since 1970. */
  now(): number {
    return this.running() + this.#differenceMs;
  }

  /** Milliseconds that run on whatever the time of day is set to: for how long something takes. */
  running(): number {
    return Date.now() + this.#advancedMs;
  }

  /** Set the time of day, backwards too. */
  set(ms: number): void {
    this.#differenceMs = ms - this.running();
    for (const tell of this.#listeners) tell();
  }

  /** Call `listener` whenever the time of day is set. */
  onSet(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Run `action` in `ms` milliseconds; the returned function forgets it. */
  alarm(ms: number, action: () => void): () => void {
    const alarm: Alarm = { atMs: this.running() + ms, action, timer: undefined };
    this.#alarms.add(alarm);
    this.#added = true;
    this.#arm(alarm);
    return () => this.#forget(alarm);
  }

  /**
   * Move time forward. What falls due happens in the order of its time, each at its own.
   * @param idle asked before each step: what has begun and must end, or wait for the clock, before time continues.
   *   Where it never has anything to wait for, all is done before the promise is returned.
   */
  async advance(ms: number, idle: () => Promise<void> | undefined = () => undefined): Promise<void> {
    // What has begun comes as far as it can first: a wait it then begins counts from before the step.
    for (let running = idle(); running; running = idle()) await running;
    const target = this.running() + ms;
    let due: Alarm[] = [];
    this.#added = true;
    for (;;) {
      for (let running = idle(); running; running = idle()) await running;
      if (this.#added) due = this.#dueUntil(target);
      const next = due.pop();
      if (!next) break;
      if (!this.#alarms.has(next)) continue;
      this.#moveTo(next.atMs);
      this.#forget(next);
      next.action();
    }
    this.#moveTo(target);
    for (const alarm of [...this.#alarms]) this.#arm(alarm);
  }

  /** Those that fall due until then, the next one last. */
  #dueUntil(target: number): Alarm[] {
    this.#added = false;
    const due = [...this.#alarms].filter(({ atMs }) => atMs <= target);
    return due.toSorted((a, b) => a.atMs - b.atMs).reverse();
  }

  #moveTo(ms: number): void {
    this.#advancedMs += Math.max(0, ms - this.running());
  }

  stop(): void {
    for (const alarm of [...this.#alarms]) this.#forget(alarm);
  }

  /** Never runs the action at once, however late it is: who asked for it doesn't hold the means to forget it yet. */
  #arm(alarm: Alarm): void {
    clearTimeout(alarm.timer);
    const left = Math.max(0, alarm.atMs - this.running());
    // A timer holds 31 bits of milliseconds, 24.8 days; a longer wait is armed again.
    alarm.timer = setTimeout(() => this.#ring(alarm), Math.min(left, 2 ** 31 - 1));
    alarm.timer.unref();
  }

  #ring(alarm: Alarm): void {
    if (alarm.atMs > this.running()) {
      this.#arm(alarm);
      return;
    }
    this.#forget(alarm);
    alarm.action();
  }

  #forget(alarm: Alarm): void {
    clearTimeout(alarm.timer);
    this.#alarms.delete(alarm);
  }
}

interface Alarm {
  /** On the clock that runs on. */
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

/** Midnight UTC of "2026-09-26" or "sep/26/2026", milliseconds since 1970; undefined for anything else. */
export function readDate(value: string): number | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
  const old = /^([a-z]{3})\/(\d{2})\/(\d{4})$/i.exec(value);
  const [year, month, day] = iso
    ? [iso[1], Number(iso[2]), iso[3]]
    : [old?.[3], MONTHS.indexOf((old?.[1] ?? "").toLowerCase()) + 1, old?.[2]];
  const ms = Date.UTC(Number(year), month - 1, Number(day));
  return new Date(ms).getUTCDate() === Number(day) && month >= 1 ? ms : undefined;
}

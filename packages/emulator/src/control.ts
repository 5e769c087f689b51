import { execute, present } from "./commands/index.ts";
import type { Fault } from "./faults.ts";
import type { Listening } from "./listening.ts";
import type { Machine } from "./machine.ts";
import type { DeviceMode } from "./menus/device-mode.ts";
import { policyNames } from "./menus/user-group.ts";
import type { OpenSessions, ServiceName } from "./options.ts";
import type { Peer } from "./services/peers.ts";
import type { Services } from "./services/services.ts";
import type { Session } from "./sessions.ts";
import { rowOf } from "./table.ts";
import type { Transcript, TranscriptLine } from "./transcript.ts";
import { wouldAuthenticate } from "./users.ts";

export type MenuRow = Readonly<Record<string, string>>;

/** A session of `/user/active` as the control handle shows it. */
export type ActiveSession = Pick<Session, "id" | "username" | "address" | "via" | "group">;

/** What the router refused to the control handle, as it would have refused an admin. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}

/**
 * The handle of a test on its router. It never goes over the wire: a test sets up, breaks and inspects the router
 * through it, and speaks to the router like anybody else.
 */
export class Control {
  readonly #router: Machine;
  readonly #services: Services;
  readonly #transcript: Transcript;

  constructor(router: Machine, services: Services, transcript: Transcript) {
    this.#router = router;
    this.#services = services;
    this.#transcript = transcript;
  }

  /** API sentences in and out so far, passwords redacted; the newest 10 000. */
  transcript(): readonly TranscriptLine[] {
    return this.#transcript.lines;
  }

  /** Rows of a menu ("/ip/service") as `print` shows them. */
  rows(path: string): readonly MenuRow[] {
    const menu = this.#router.menu(path);
    return this.#router.items(menu).map((item) => present(this.#router, menu, item));
  }

  /**
   * Add a row as another admin would; all rules of the menu apply, faults don't.
   * @returns its `.id`
   * @throws ControlError with RouterOS's message
   */
  async addRow(menu: string, values: MenuRow): Promise<string> {
    return (await this.#run(`${menu}/add`, values)) ?? "";
  }

  /** @param target `.id`, or name where names are unique; nothing for a menu of one row */
  async setRow(menu: string, target: string | undefined, values: MenuRow): Promise<void> {
    await this.#run(`${menu}/set`, target === undefined ? values : { ...values, ".id": target });
  }

  async removeRow(menu: string, target: string): Promise<void> {
    await this.#run(`${menu}/remove`, { ".id": target });
  }

  /** Who connected to a service, refused sources included; the newest 1000. */
  peers(service: ServiceName): readonly Peer[] {
    return this.#services.peers.of(service);
  }

  /** Who is logged in now. */
  sessions(): readonly ActiveSession[] {
    return this.#router.sessions.all.map(({ id, username, address, via, group }) => ({
      id,
      username,
      address,
      via,
      group,
    }));
  }

  /** Would this name and password be accepted from this address, whatever the service? Leaves no trace. */
  wouldAuthenticate(username: string, password: string, sourceAddress: string): boolean {
    return wouldAuthenticate(this.#router, username, password, sourceAddress);
  }

  /** Let something go wrong; the oldest fault that matches a command is the one it meets. */
  inject(fault: Fault): void {
    this.#router.faults.inject(fault);
  }

  /** Take back every fault that is still waiting. */
  clear(): void {
    this.#router.faults.clear();
  }

  /**
   * How a menu ("/ip/firewall/filter"), or with "*" every other one, answers who begins to listen from now on.
   * `clear()` doesn't take it back.
   */
  setListening(menu: string, listening: Listening): void {
    this.#router.listening = { ...this.#router.listening, [menu]: listening };
  }

  /** Let a service listen that `listen` of the options left out. Resolves when it does, or its row is invalid. */
  listen(service: ServiceName): Promise<void> {
    return this.#router.exclusive(() => this.#services.listen(service));
  }

  /** No byte goes through either way, on open connections and on new ones, until `restoreLink`. */
  cutLink(): void {
    this.#services.gate.cutLink();
  }

  /** What was sent meanwhile arrives, as TCP would send it again. */
  restoreLink(): void {
    this.#services.gate.restoreLink();
  }

  /** Does a host answer the router's ping? By default nobody but the router itself. */
  setReachable(address: string, reachable = true): void {
    if (reachable) this.#router.reachable.add(address);
    else this.#router.reachable.delete(address);
  }

  /** What a change of a user does to open sessions from now on. */
  setOpenSessions(behaviour: OpenSessions): void {
    this.#router.openSessions = behaviour;
  }

  /**
   * Move the router's clock forward; what falls due happens in the order of its time. Resolves once scripts that
   * were started by it have ended, or wait beyond it; without any, all has happened when this returns.
   */
  advanceClock(ms: number): Promise<void> {
    return this.#router.clock.advance(ms, () => this.#router.jobs.idle());
  }

  /** As somebody at the device would, with its button. */
  setDeviceMode(mode: DeviceMode): void {
    const table = this.#router.table("/system/device-mode");
    const [item] = table.items;
    if (item) table.set(item, { ...item.values, mode });
    this.#router.commit();
  }

  /**
   * Set the time of day, backwards too, as `/system/clock/set` or NTP would. Schedules follow it; uptime, timeouts and
   * delays run on.
   */
  setClock(time: Date): void {
    this.#router.clock.set(time.getTime());
  }

  /**
   * Drop all connections, lose what is only in RAM, and come back. Resolves when it listens again.
   * @param options.clock the time of day after it; a board without a battery begins in 1970
   */
  reboot({ clock }: { readonly clock?: Date } = {}): Promise<void> {
    return this.#router.exclusive(() => this.#services.reboot(clock));
  }

  /** Off: every connection drops and its ports refuse, until `powerOn`. */
  powerOff(): Promise<void> {
    return this.#router.exclusive(() => this.#services.powerOff());
  }

  powerOn(): Promise<void> {
    return this.#router.exclusive(() => this.#services.powerOn());
  }

  async #run(command: string, values: MenuRow): Promise<string | undefined> {
    const caller = { username: undefined, policies: new Set(policyNames(this.#router.features)) };
    const { replies } = await execute(this.#router, caller, command, rowOf(values), []);
    const [first = "", ...words] = replies[0] ?? [];
    const message = words.find((word) => word.startsWith("=message="));
    if (first === "!trap") throw new ControlError(`${command}: ${message?.slice("=message=".length)}`);
    return words.find((word) => word.startsWith("=ret="))?.slice("=ret=".length);
  }
}

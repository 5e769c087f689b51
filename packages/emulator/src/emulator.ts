import { randomBytes } from "node:crypto";
import { Control } from "./control.ts";
import { Machine } from "./machine.ts";
import type { EmulatorOptions, ServiceName, StartingUser } from "./options.ts";
import { derive, seededBytes } from "./random.ts";
import type { FreshRouter } from "./router.ts";
import { Services } from "./services/services.ts";
import { hostKeyOf } from "./ssh/host-key.ts";
import { readState } from "./state-file.ts";
import { Transcript } from "./transcript.ts";
import { prefix } from "./values.ts";

/** A running router. */
export interface Emulator extends AsyncDisposable {
  readonly address: string;
  readonly version: string;
  /** The port a service's row has now, enabled or not. @throws for a service this version hasn't */
  port(service: ServiceName): number;
  readonly control: Control;
  /** Resolves when the router has been closed. */
  readonly closed: Promise<void>;
  /** Drop all connections and stop listening. Safe twice. What the state file holds stays. */
  close(): Promise<void>;
}

/**
 * Start a router in this process.
 *
 * A service whose port can't be bound doesn't stop the start: its row shows `invalid=true`, as on RouterOS.
 * @throws when the version is none, a user is refused, or the state file can't be read or is of another version
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const address = options.address ?? "127.0.0.1";
  const state = options.stateFile === undefined ? undefined : readState(options.stateFile);
  if (state && options.version !== undefined && options.version !== state.version) {
    throw new Error(
      `${options.stateFile} is of RouterOS ${state.version}; it can't be started as ${options.version}`,
    );
  }
  const router = new Machine(options, state, fresh(options));
  if (!state) furnish(router, options);
  const transcript = new Transcript(options.transcriptLines);
  const services = new Services(router, address, transcript, options.listen);
  router.ports = services;
  await services.choosePorts();
  await services.apply();
  router.scheduler.boot();
  router.commit();
  return new RunningEmulator(router, services, new Control(router, services, transcript), address);
}

/** What a router is made of that nobody says anything about: random, or the same for every run with a seed. */
function fresh({ seed, randomBytes: given }: EmulatorOptions): FreshRouter {
  const secret = (purpose: string) => (seed === undefined ? randomBytes(32) : derive(seed, purpose));
  return {
    model: "emulated",
    serialNumber: `EMU${secret("serial number").toString("hex", 0, 3).toUpperCase()}`,
    hostKey: () => hostKeyOf(secret("host key")),
    randomBytes: given ?? (seed === undefined ? randomBytes : seededBytes(seed)),
  };
}

/** Identity, users and ports of a router that has no state yet. */
function furnish(router: Machine, options: EmulatorOptions): void {
  const name = options.identity;
  if (name !== undefined) rewrite(router, "/system/identity", () => ({ name }));
  const first = { name: options.username ?? "admin", password: options.password ?? "" };
  for (const user of [first, ...(options.users ?? [])]) addUser(router, user);
  rewrite(router, "/ip/service", (row) => {
    const port = options.ports?.[row.name as ServiceName];
    return port === undefined ? undefined : { port: String(port) };
  });
}

/** Change rows of a fresh router, those for which `change` answers something. */
function rewrite(
  router: Machine,
  path: string,
  change: (row: Readonly<Record<string, string>>) => Record<string, string> | undefined,
): void {
  const table = router.table(path);
  for (const item of table.items) {
    const values = change(item.values);
    if (values) table.set(item, { ...item.values, ...values });
  }
}

function addUser(router: Machine, user: StartingUser): void {
  const table = router.table("/user");
  const { fields } = router.menu("/user");
  const defaults = Object.entries(fields).flatMap(([name, field]) =>
    field.default === undefined ? [] : [[name, field.default]],
  );
  const { password, group = "full" } = user;
  const name = fields.name?.type.read(user.name, "name") ?? user.name;
  const address = prefix.read(user.address ?? "", "address");
  if (!router.table("/user/group").items.some(({ values }) => values.name === group)) {
    throw new Error(`the user ${name} can't be of group ${group}: there is none`);
  }
  table.add({ ...Object.fromEntries(defaults), name, password, group, address });
}

class RunningEmulator implements Emulator {
  readonly address: string;
  readonly control: Control;
  readonly closed: Promise<void>;
  readonly #router: Machine;
  readonly #services: Services;
  readonly #resolveClosed: () => void;
  #closing: Promise<void> | undefined;

  constructor(router: Machine, services: Services, control: Control, address: string) {
    this.#router = router;
    this.#services = services;
    this.control = control;
    this.address = address;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get version(): string {
    return this.#router.version;
  }

  port(service: ServiceName): number {
    const row = this.#services.row(service);
    if (!row) throw new Error(`the emulated RouterOS ${this.version} has no service ${service}`);
    return Number(row.values.port);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await this.#router.exclusive(() => this.#services.powerOff());
    this.#router.clock.stop();
    this.#resolveClosed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

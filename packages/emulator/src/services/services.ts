import { createServer, type Server, type Socket } from "node:net";
import { endsOf } from "../connections.ts";
import type { Machine } from "../machine.ts";
import { sourceField } from "../menus/ip-service.ts";
import { SERVICE_NAMES, type ServiceName } from "../options.ts";
import type { Item } from "../table.ts";
import type { Transcript } from "../transcript.ts";
import { admits } from "../values.ts";
import { Gate, packetOf } from "./gate.ts";
import { type Handler, handlersFor } from "./handlers.ts";
import { Peers } from "./peers.ts";
import type { ServicePorts } from "./ports.ts";

interface Listener {
  readonly server: Server;
  readonly port: number;
}

/** The router's real listeners, kept as the rows of `/ip/service` say. */
export class Services implements ServicePorts {
  readonly peers = new Peers();
  readonly gate: Gate;
  readonly #router: Machine;
  readonly #address: string;
  readonly #handlers: Readonly<Record<ServiceName, Handler>>;
  readonly #listeners = new Map<ServiceName, Listener>();
  readonly #invalid = new Set<ServiceName>();
  /** Services that may have a listener; the rows of the others are rows alone. */
  readonly #listening: Set<ServiceName>;
  #powered = true;

  constructor(
    router: Machine,
    address: string,
    transcript: Transcript,
    listening: readonly ServiceName[] = SERVICE_NAMES,
  ) {
    this.#listening = new Set(listening);
    this.#router = router;
    this.gate = new Gate(router);
    this.#address = address;
    this.#handlers = handlersFor(router, transcript);
  }

  isInvalid(service: ServiceName): boolean {
    return this.#invalid.has(service);
  }

  row(service: ServiceName): Item | undefined {
    return this.#router.table("/ip/service").items.find(({ values }) => values.name === service);
  }

  /** Give every row with port 0 a free port: the one its listener got. */
  async choosePorts(): Promise<void> {
    for (const service of SERVICE_NAMES) {
      const row = this.row(service);
      if (row?.values.port !== "0" || !this.#listening.has(service)) continue;
      await this.#open(service, 0);
      const port = String(this.#listeners.get(service)?.port);
      this.#router.table("/ip/service").set(row, { ...row.values, port });
    }
  }

  /** A new listener opens before the old one closes. Established connections continue: nothing cuts them. */
  async apply(): Promise<void> {
    for (const service of SERVICE_NAMES) {
      const row = this.row(service);
      const on = this.#powered && this.#listening.has(service) && row?.values.disabled === "false";
      const wanted = on ? Number(row.values.port) : undefined;
      const old = this.#listeners.get(service);
      if (wanted === old?.port) continue;
      this.#listeners.delete(service);
      this.#invalid.delete(service);
      if (wanted !== undefined) await this.#open(service, wanted);
      old?.server.close();
    }
  }

  /** Let a service listen that did not so far; its row says where and whether. */
  async listen(service: ServiceName): Promise<void> {
    this.#listening.add(service);
    await this.choosePorts();
    await this.apply();
  }

  restart(how: "reboot" | "shutdown"): void {
    // With `done` the reply is on its way before the connection goes.
    const begin = () =>
      void this.#router.exclusive(() => (how === "reboot" ? this.reboot() : this.powerOff()));
    if (this.#router.rebootReply === "close") begin();
    else setImmediate(begin);
  }

  /** @param clock what a board without a battery takes for the time of day when it comes back */
  async reboot(clock?: Date): Promise<void> {
    await this.powerOff();
    if (clock) this.#router.clock.set(clock.getTime());
    await this.powerOn();
  }

  /** Every connection drops, nothing listens, what was only in RAM is gone. */
  async powerOff(): Promise<void> {
    this.#powered = false;
    await this.apply();
    this.gate.close();
    await this.#router.connections.closeAll();
    this.#router.forgetRam();
  }

  async powerOn(): Promise<void> {
    this.#powered = true;
    await this.apply();
    this.#router.scheduler.boot();
  }

  /** A port that can't be bound, or is taken, makes the row invalid. */
  async #open(service: ServiceName, port: number): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      this.gate.arrive(socket, () => this.#accept(service, socket));
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host: this.#address, port, exclusive: true }, resolve);
      });
    } catch {
      this.#invalid.add(service);
      return;
    }
    const bound = server.address();
    this.#listeners.set(service, { server, port: typeof bound === "object" && bound ? bound.port : port });
  }

  /**
   * The firewall first, then the service's own address list, which RouterOS looks at after the accept: the port is
   * open to a scan, and closes unsaid.
   */
  #accept(service: ServiceName, socket: Socket): void {
    if (this.#router.faults.takeForConnection(service)) {
      socket.resetAndDestroy();
      return;
    }
    const ends = endsOf(socket);
    const passed = this.gate.admits(socket, packetOf(ends, "new"));
    const admitted = passed && this.#admits(service, ends.remoteAddress);
    this.peers.add(service, socket, admitted);
    if (!passed) return;
    if (!admitted) {
      socket.destroy();
      return;
    }
    const connection = this.#router.connections.add(service, socket);
    this.#handlers[service](connection);
    this.gate.opened(connection);
  }

  reviewConnections(): void {
    this.gate.review();
  }

  /** What a client beyond `max-sessions` sees isn't published; here the same as a refused source. */
  #admits(service: ServiceName, address: string): boolean {
    const values = this.row(service)?.values;
    if (!values || address === "") return false;
    const limit = Number(values["max-sessions"] ?? Number.POSITIVE_INFINITY);
    if (this.#router.connections.count(service) >= limit) return false;
    return admits(values[sourceField(this.#router.features)] ?? "", address);
  }
}

/** Connections through the gateway that carry bytes all the time, and when each of them was over. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Opened, SiteAccess } from "./access.ts";

const WRITE_EVERY_MS = 50;
/** Accesses opened at a time. */
const AT_ONCE = 8;

export class Stream implements Disposable {
  readonly access: Opened;
  readonly socket: Socket;
  /** By `performance.now()`; undefined while it stands. */
  overAt: number | undefined;
  readonly over: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  private constructor(access: Opened, socket: Socket) {
    this.access = access;
    this.socket = socket;
    socket.on("error", () => undefined);
    this.#timer = setInterval(() => socket.writable && socket.write("."), WRITE_EVERY_MS);
    this.over = new Promise((resolve) =>
      socket.once("close", () => {
        this.overAt = performance.now();
        clearInterval(this.#timer);
        resolve();
      }),
    );
  }

  static async open(desk: SiteAccess, access: Opened): Promise<Stream> {
    const { host, port } = desk.throughGateway(access);
    const socket = connect({ host, port, localAddress: "127.0.0.1" });
    await once(socket, "connect");
    return new Stream(access, socket);
  }

  /** Send no more by itself. */
  quiet(): void {
    clearInterval(this.#timer);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.socket.destroy();
  }
}

/** So many accesses to the router's WinBox port. */
export async function openAccesses(desk: SiteAccess, count: number): Promise<Opened[]> {
  const opened: Opened[] = [];
  let left = count;
  const open = async () => {
    while (left-- > 0) opened.push(await desk.open({ type: "winbox" }));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
  return opened;
}

/** Bytes the router has had at its WinBox port, on each connection that stands. */
export function bytesOfOpenPeers(desk: SiteAccess): number[] {
  const peers = desk.router.control.peers("winbox");
  return peers.filter(({ open }) => open).map(({ bytesReceived }) => bytesReceived);
}

/**
 * Move the end of an access by SQL, as no request can, and tell the control plane.
 * @returns the end, by `performance.now()`
 */
export async function endIn(
  server: { sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]> },
  ids: readonly string[],
  seconds: (index: number) => number,
): Promise<number[]> {
  const rows = await server.sql(
    `with given as (select * from unnest($1::uuid[], $2::float8[]) as given (id, seconds)),
          changed as (
            update transient_access set expires_at = clock_timestamp() + make_interval(secs => seconds)
              from given where given.id = transient_access.id returning transient_access.id, expires_at)
     select id, extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as left_ms,
            pg_notify('portreeve_access', id::text) from changed`,
    [ids, ids.map((_id, index) => seconds(index))],
  );
  const now = performance.now();
  const left = new Map(rows.map(({ id, left_ms }) => [id, now + Number(left_ms)]));
  return ids.map((id) => left.get(id) ?? Number.NaN);
}

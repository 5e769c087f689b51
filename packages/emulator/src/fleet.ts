import { type Emulator, startEmulator } from "./emulator.ts";
import type { EmulatorOptions, ServiceName } from "./options.ts";

/** RouterOS's own ports of addresses in 127.0.0.0/8: nothing else is there, and no privilege is needed above 1023. */
const FIRST_ADDRESS = "127.64.0.1";

/** Starts in flight at a time; more gain nothing in one process. */
const AT_ONCE = 64;

export interface FleetOptions
  extends Omit<EmulatorOptions, "address" | "stateFile" | "identity" | "serialNumber" | "seed"> {
  /** How many routers. */
  readonly count: number;
  /** Address of the first router, the others follow it; 127.64.0.1 by default. Addresses end in 1 to 254. */
  readonly firstAddress?: string;
  /**
   * Services that listen, `api` alone by default: a listener is a descriptor, and a process may have 20 000 of
   * them or fewer. `control.listen` opens another one on the router that needs it.
   */
  readonly listen?: readonly ServiceName[];
  /** Each router has a seed of its own made from this one; without it all are random. */
  readonly seed?: string;
}

/** Many routers in one process. */
export interface Fleet extends AsyncDisposable {
  /** In the order of their addresses; `router-1` is the first one's identity. */
  readonly routers: readonly Emulator[];
  /** Close all. Safe twice. */
  close(): Promise<void>;
}

/**
 * Start `count` routers on addresses of their own, by default on RouterOS's own API port.
 *
 * They share what they have from the factory and keep no transcript and 50 log lines each unless asked, so that ten
 * thousand fit into a process. A router whose port can't be bound fails the start, and those begun are closed.
 * @throws RangeError when the addresses run out of 127.0.0.0/8
 */
export async function startFleet({
  count,
  firstAddress = FIRST_ADDRESS,
  ...options
}: FleetOptions): Promise<Fleet> {
  const addresses = loopbackAddresses(firstAddress, count);
  const routers: Emulator[] = [];
  const close = async () => {
    await Promise.all(routers.map((router) => router.close()));
  };
  try {
    for (let first = 0; first < count; first += AT_ONCE) {
      const batch = addresses.slice(first, first + AT_ONCE);
      const starts = batch.map((address, index) => startOne(options, address, first + index + 1));
      const settled = await Promise.allSettled(starts);
      routers.push(...settled.flatMap((start) => (start.status === "fulfilled" ? [start.value] : [])));
      const failed = settled.find((start) => start.status === "rejected");
      if (failed) throw failed.reason;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { routers, close, [Symbol.asyncDispose]: close };
}

async function startOne(
  options: Omit<FleetOptions, "count" | "firstAddress">,
  address: string,
  number: number,
): Promise<Emulator> {
  const { seed, listen = ["api"], ...others } = options;
  const router = await startEmulator({
    transcriptLines: 0,
    logLines: 50,
    ...others,
    address,
    listen,
    identity: `router-${number}`,
    ...(seed === undefined ? {} : { seed: `${seed} ${number}` }),
  });
  const unbound = router.control.rows("/ip/service").find((row) => row.invalid === "true");
  if (!unbound) return router;
  await router.close();
  throw new Error(`${address}: port ${unbound.port} for ${unbound.name} can't be bound`);
}

/** `count` addresses from the first one on; the last byte is never 0 or 255. */
function loopbackAddresses(first: string, count: number): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 1] = first.split(".").map(Number);
  const start = (b * 256 + c) * 254 + (d - 1);
  if (a !== 127 || start + count > 256 * 256 * 254) {
    throw new RangeError(`no ${count} addresses from ${first} on in 127.0.0.0/8`);
  }
  return Array.from({ length: count }, (_, index) => {
    const network = Math.floor((start + index) / 254);
    return `127.${network >> 8}.${network & 255}.${((start + index) % 254) + 1}`;
  });
}

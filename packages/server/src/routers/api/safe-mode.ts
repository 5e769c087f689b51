/**
 * RouterOS's own safe mode, from 7.18 over the API: what was changed while it is held is taken back when the holder's
 * connection dies. It covers the changes of every session, so it is held only from a change of the management path to the proof.
 * Source: MikroTik manual, "Console", safe mode; published command trees (`/safe-mode` from 7.18).
 */
import { atLeast, type RouterClient, RouterOsError, type RouterOsVersion } from "@portreeve/routeros";

const SINCE = "7.18";
const ANSWER_TIMEOUT_MS = 5_000;

export interface SafeMode {
  /** The change stands. */
  release(): Promise<void>;
  /** Take back what was changed; a connection that no longer answers is reset, which does the same. */
  unroll(): Promise<void>;
}

/**
 * Take safe mode for a session. It is the second layer behind the rollback timer: where the router has none, or somebody
 * else holds it, we go on without.
 */
export async function takeSafeMode(
  client: RouterClient,
  version: RouterOsVersion,
): Promise<SafeMode | undefined> {
  if (!atLeast(version, SINCE)) return undefined;
  const call = (command: string) =>
    client.call(`/safe-mode/${command}`, {}, { timeoutMs: ANSWER_TIMEOUT_MS });
  try {
    await call("take");
  } catch (error) {
    if (error instanceof RouterOsError) return undefined;
    throw error;
  }
  return {
    release: async () => {
      await call("release");
    },
    unroll: async () => {
      try {
        await call("unroll");
      } catch {
        client.reset();
      }
    },
  };
}

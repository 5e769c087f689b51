/** How the API and the gateway of one host know each other: a socket that this user alone reaches, and a token. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface LocalGateway {
  /** Where the API listens for the gateway. */
  readonly socket: string;
  /** The gateway's own, in the clear. */
  readonly token: string;
}

/** A socket's name takes so many bytes on every system we run on (macOS: 104 with the NUL; Linux: 108). */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Both live in the state directory (0700): a gateway that comes back is the same one, and finds the same socket.
 * @param starting removes what a path that is too long for a socket has needed elsewhere
 */
export async function prepareLocalGateway(
  stateDir: string,
  starting: AsyncDisposableStack,
): Promise<LocalGateway> {
  const token = await keptToken(stateDir);
  const socket = join(stateDir, "control.sock");
  if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES) return { socket, token };
  const directory = await mkdtemp(join(tmpdir(), "portreeve-control-"));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  return { socket: join(directory, "control.sock"), token };
}

async function keptToken(stateDir: string): Promise<string> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, "gateway.token");
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const token = randomBytes(32).toString("base64url");
    await writeFile(path, `${token}\n`, { mode: 0o600, flag: "wx" });
    return token;
  }
}

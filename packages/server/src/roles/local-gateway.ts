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

/**
 * The token is kept in the state directory (0600): a gateway that comes back is the same one.
 * @param starting removes the socket's directory
 */
export async function prepareLocalGateway(
  stateDir: string,
  starting: AsyncDisposableStack,
): Promise<LocalGateway> {
  // A directory of its own, short enough for a socket's name (107 bytes) and for this user alone.
  const directory = await mkdtemp(join(tmpdir(), "portreeve-control-"));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  return { socket: join(directory, "control.sock"), token: await keptToken(stateDir) };
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

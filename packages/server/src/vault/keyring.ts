/**
 * Key-encryption keys ("master keys"). They wrap the customers' data keys and nothing else, live in a file beside
 * the database and never inside it: a stolen dump holds no usable secret.
 *
 * The file is text, one key a line, `<version> <32 bytes in base64>`; `#` starts a comment. The highest version
 * seals; the older ones open what they sealed. To change keys, append a line and start again: data keys are then
 * sealed anew, and the older lines may go once every server has started with the new file.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { link, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { KEY_BYTES, openBox, sealBox } from "./envelope.ts";
import { KeyFileError } from "./errors.ts";

export interface Wrapped {
  keyVersion: number;
  box: Buffer;
}

export class Keyring {
  readonly #keys: ReadonlyMap<number, Buffer>;
  readonly #newest: number;

  /** @param keys version -> 32 bytes; at least one */
  constructor(keys: ReadonlyMap<number, Buffer>) {
    if (keys.size === 0) throw new RangeError("a keyring needs at least one key");
    this.#keys = keys;
    this.#newest = Math.max(...keys.keys());
  }

  wrap(context: readonly string[], dataKey: Buffer): Wrapped {
    const key = this.#keys.get(this.#newest) as Buffer;
    return {
      keyVersion: this.#newest,
      box: sealBox(key, ["key-encryption key", `${this.#newest}`, ...context], dataKey),
    };
  }

  /** @returns the data key, or undefined when this keyring lacks the version or holds another key under it */
  unwrap(context: readonly string[], { keyVersion, box }: Wrapped): Buffer | undefined {
    const key = this.#keys.get(keyVersion);
    return key && openBox(key, ["key-encryption key", `${keyVersion}`, ...context], box);
  }

  get newestVersion(): number {
    return this.#newest;
  }

  /** A key for another purpose than wrapping, 32 bytes (HKDF, RFC 5869); undefined where this keyring lacks the version. */
  derive(keyVersion: number, purpose: string): Buffer | undefined {
    const key = this.#keys.get(keyVersion);
    return key && Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), `derived ${purpose}`, KEY_BYTES));
  }

  has(keyVersion: number): boolean {
    return this.#keys.has(keyVersion);
  }
}

/**
 * Reads the key file, or makes one with a first key when there is none.
 * @param holdsDataKeys asks whether the database already has wrapped data keys; only then a missing file is an error,
 *   because a new key could never open them
 * @throws KeyFileError missing although needed, readable by others, or not in the format
 */
export async function loadKeyring(path: string, holdsDataKeys: () => Promise<boolean>): Promise<Keyring> {
  const existing = await readKeyFile(path);
  if (existing !== undefined) return parseKeyFile(path, existing);
  if (await holdsDataKeys()) {
    throw new KeyFileError(
      path,
      "is missing, but the database already holds secrets sealed with it. A new key would not open them, so none is " +
        "made and every stored password would be lost. Restore the file from your backup, or name its place with " +
        "PORTREEVE_MASTER_KEY_FILE",
    );
  }
  await createKeyFile(path);
  return parseKeyFile(path, (await readKeyFile(path)) ?? "");
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    // The mode of the opened file, not of the name: nobody can swap it in between.
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, "0");
      throw new KeyFileError(
        path,
        `other users can read or change it (mode ${shown}). Run: chmod 600 ${path}`,
      );
    }
    return await file.readFile("utf8");
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KeyFileError(path, `can't be read (${(error as Error).message})`, { cause: error });
  }
}

/**
 * Written under another name, flushed, then linked into place: a crash leaves no half key, and of two processes that
 * start at once one wins and both read the winner's.
 */
async function createKeyFile(path: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    {
      await using file = await open(draft, "wx", 0o600);
      await file.writeFile(
        "# Portreeve's master key. Without it no stored password can be read: keep a copy in a safe place.\n" +
          `1 ${randomBytes(KEY_BYTES).toString("base64")}\n`,
      );
      await file.sync();
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await using directory = await open(dirname(path), "r");
    await directory.sync();
  } catch (error) {
    throw new KeyFileError(path, `can't be created (${(error as Error).message})`, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

function parseKeyFile(path: string, text: string): Keyring {
  const keys = new Map<number, Buffer>();
  for (const [index, line] of text.split("\n").entries()) {
    const content = line.replace(/#.*/, "").trim();
    if (content === "") continue;
    const [, version, encoded] = /^([1-9]\d{0,8})\s+([A-Za-z0-9+/]{43}=)$/.exec(content) ?? [];
    // The message names the line and never its content: it holds a key.
    if (version === undefined || encoded === undefined) {
      throw new KeyFileError(path, `line ${index + 1} is not "<version> <32 bytes in base64>"`);
    }
    if (keys.has(Number(version)))
      throw new KeyFileError(path, `line ${index + 1} repeats version ${version}`);
    keys.set(Number(version), Buffer.from(encoded, "base64"));
  }
  if (keys.size === 0) throw new KeyFileError(path, "holds no key. Restore it from your backup");
  return new Keyring(keys);
}

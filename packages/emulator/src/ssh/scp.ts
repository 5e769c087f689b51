import type { ServerChannel } from "ssh2";
import { bytesText, wordBytes } from "../api/words.ts";
import { contentsOf, fileName } from "../files.ts";
import type { Machine } from "../machine.ts";
import { Refusal } from "../refusal.ts";
import type { Item } from "../table.ts";

/** `scp -t` takes files, `scp -f` sends them; what OpenSSH's `scp -O` runs on the other side. */
export interface ScpCommand {
  readonly direction: "take" | "send";
  readonly recursive: boolean;
  readonly path: string;
}

const COMMAND = /^scp((?: -[a-zA-Z]+)+)(?: --)? (.+)$/;

/** @returns undefined for any other command */
export function readScp(command: string): ScpCommand | undefined {
  const [, flags = "", path = ""] = COMMAND.exec(command) ?? [];
  const has = (letter: string) => flags.split(" ").some((word) => word.includes(letter));
  if (has("t") === has("f")) return undefined;
  return {
    direction: has("t") ? "take" : "send",
    recursive: has("r"),
    path: path === "." ? "" : fileName(path),
  };
}

/** A larger file is refused before a byte of it is read; a longer line is none of the protocol. */
const MAX_FILE = 64 * 1024 * 1024;
const MAX_LINE = 4096;

/** What ends a transfer; the other side is told. */
class ScpError extends Error {}

/** The bytes of a channel, as many as one asks for. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>;
  #left: Buffer = Buffer.alloc(0);

  constructor(channel: ServerChannel) {
    this.#chunks = channel[Symbol.asyncIterator]();
  }

  /** @returns undefined at the end of the channel, in whatever way it ended */
  async #more(): Promise<Buffer | undefined> {
    const next = await this.#chunks.next().catch(() => undefined);
    return next?.done ? undefined : next?.value;
  }

  /** A line without its end; undefined at the end of the channel. */
  async line(): Promise<string | undefined> {
    for (let at = -1; ; ) {
      at = this.#left.indexOf(0x0a);
      if (at >= 0) {
        const line = this.#left.subarray(0, at).toString("utf8");
        this.#left = this.#left.subarray(at + 1);
        return line;
      }
      if (this.#left.length > MAX_LINE) throw new ScpError("protocol error: line too long");
      const more = await this.#more();
      if (!more) return undefined;
      this.#left = Buffer.concat([this.#left, more]);
    }
  }

  async bytes(size: number): Promise<Buffer> {
    const parts = [this.#left];
    for (let have = this.#left.length; have < size; ) {
      const more = await this.#more();
      if (!more) throw new ScpError("lost connection");
      parts.push(more);
      have += more.length;
    }
    const all = Buffer.concat(parts);
    this.#left = all.subarray(size);
    return all.subarray(0, size);
  }

  /** The other side's word on what it was told: a zero, or why not. */
  async agreed(): Promise<void> {
    const [code] = await this.bytes(1);
    if (code === 0) return;
    throw new ScpError((await this.line()) ?? "lost connection");
  }
}

const OK = Buffer.of(0);

/**
 * Carry out one side of a transfer.
 * @returns the exit status: 0, or 1 with the reason sent
 */
export async function runScp(router: Machine, command: ScpCommand, channel: ServerChannel): Promise<number> {
  const reader = new Reader(channel);
  try {
    if (command.direction === "take") await take(router, command, reader, channel);
    else await send(router, command, reader, channel);
    return 0;
  } catch (error) {
    if (!(error instanceof ScpError) && !(error instanceof Refusal)) throw error;
    if (channel.writable) channel.write(`\x01scp: ${error.message}\n`);
    return 1;
  }
}

async function take(
  { files }: Machine,
  { path }: ScpCommand,
  reader: Reader,
  channel: ServerChannel,
): Promise<void> {
  /** Directories the sender has gone into, the target first. */
  const inside = [path];
  const placeOf = (name: string) => {
    const at = inside.at(-1) ?? "";
    return inside.length > 1 || files.isDirectory(at) ? fileName(`${at}/${name}`) : at;
  };
  channel.write(OK);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const [, kind, , length = "", name = ""] = /^([CD])([0-7]+) (\d+) ([^/]+)$/.exec(line) ?? [];
    if (line === "E" && inside.length > 1) inside.pop();
    else if (kind === "D") {
      const directory = placeOf(name);
      if (!files.find(directory)) files.makeDirectory(directory);
      inside.push(directory);
    } else if (kind === "C") {
      if (Number(length) > MAX_FILE) throw new ScpError(`${name}: file too large`);
      channel.write(OK);
      const contents = await reader.bytes(Number(length));
      await reader.agreed();
      files.write(placeOf(name), bytesText(contents));
      // Times aren't kept.
    } else if (!/^T\d+ \d+ \d+ \d+$/.test(line)) throw new ScpError("protocol error");
    channel.write(OK);
  }
}

async function send(
  router: Machine,
  { path, recursive }: ScpCommand,
  reader: Reader,
  channel: ServerChannel,
): Promise<void> {
  const { files } = router;
  const tell = async (line: string) => {
    channel.write(line);
    await reader.agreed();
  };
  const sendFile = async (item: Item) => {
    const contents = Buffer.from(wordBytes(contentsOf(item)));
    await tell(`C0644 ${contents.length} ${lastOf(item)}\n`);
    channel.write(contents);
    channel.write(OK);
    await reader.agreed();
  };
  const sendTree = async (item: Item): Promise<void> => {
    if (item.values.type !== "directory") return sendFile(item);
    await tell(`D0755 0 ${lastOf(item)}\n`);
    for (const child of files.all.filter(({ values }) => isIn(values.name ?? "", item.values.name ?? ""))) {
      await sendTree(child);
    }
    await tell("E\n");
  };
  await reader.agreed();
  const item = files.find(path);
  if (!item) throw new ScpError(`${path}: No such file or directory`);
  if (item.values.type === "directory" && !recursive) throw new ScpError(`${path}: not a regular file`);
  await sendTree(item);
}

const lastOf = ({ values }: Item): string => values.name?.split("/").at(-1) ?? "";

const isIn = (name: string, directory: string): boolean =>
  name.startsWith(`${directory}/`) && !name.slice(directory.length + 1).includes("/");

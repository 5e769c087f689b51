/**
 * A small table of facts that outlives the process and the database: a file of lines, each one put or one removal,
 * appended and synced before the promise resolves. Puts that come while a sync is under way share the next one.
 * When most lines are out of date the file is written anew beside itself and renamed.
 *
 * Each line carries its own checksum. A last line that a crash cut short is dropped, since nobody was told of it; a
 * broken line before others is no journal any more: it is put aside, and a new one begins.
 */
import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";

export type JournalValue = string | number | boolean | null | { readonly [key: string]: JournalValue };

/** Lines beyond twice the live ones at which the file is written anew. */
const SPARE_LINES = 1_000;

export class Journal implements AsyncDisposable {
  readonly #path: string;
  readonly #values: Map<string, JournalValue>;
  #file: FileHandle;
  #lines: number;
  #waiting: string[] = [];
  #next: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle, values: Map<string, JournalValue>, lines: number) {
    this.#path = path;
    this.#file = file;
    this.#values = values;
    this.#lines = lines;
  }

  /**
   * Open the journal, or begin one; its directory is made, for this user alone. One process at a time: see
   * `lockDirectory`.
   * @param onBroken told where the broken journal was put aside
   * @throws the file system's error
   */
  static async open(path: string, onBroken: (aside: string) => void): Promise<Journal> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    let read = parse(await readFile(path, "utf8").catch(emptyWhenMissing));
    if (read === undefined) {
      const aside = `${path}.broken`;
      await rename(path, aside);
      onBroken(aside);
      read = { values: new Map(), lines: [] };
    }
    const file = await open(path, "a", 0o600);
    // What follows a torn line could not be read.
    await file.truncate(Buffer.byteLength(read.lines.join("")));
    await syncDirectory(path);
    return new Journal(path, file, read.values, read.lines.length);
  }

  get(key: string): JournalValue | undefined {
    return this.#values.get(key);
  }

  entries(): ReadonlyMap<string, JournalValue> {
    return this.#values;
  }

  /**
   * Remember these values (undefined forgets a key). They can be read at once; they are safe when this resolves.
   * @throws the file system's error: they may be lost with the process
   */
  put(values: Readonly<Record<string, JournalValue | undefined>>): Promise<void> {
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
    }
    this.#waiting.push(lineOf(values));
    this.#next ??= this.#afterCurrent();
    return this.#next;
  }

  /** Everything put so far is safe, and the file closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  #afterCurrent(): Promise<void> {
    const written = this.#writing
      .catch(() => {})
      .then(async () => {
        const lines = this.#waiting;
        this.#waiting = [];
        this.#next = undefined;
        await this.#append(lines);
      });
    this.#writing = written;
    return written;
  }

  async #append(lines: readonly string[]): Promise<void> {
    if (this.#lines + lines.length > 2 * this.#values.size + SPARE_LINES) return this.#rewrite();
    try {
      await this.#file.appendFile(lines.join(""));
      await this.#file.datasync();
      this.#lines += lines.length;
    } catch (error) {
      // What of it reached the file is not known: the next put writes the whole file anew.
      this.#lines = Number.POSITIVE_INFINITY;
      throw error;
    }
  }

  async #rewrite(): Promise<void> {
    const temporary = `${this.#path}.new`;
    const entries = [...this.#values].map(([key, value]) => lineOf({ [key]: value }));
    const file = await open(temporary, "w", 0o600);
    try {
      await file.appendFile(entries.join(""));
      await file.datasync();
      await rename(temporary, this.#path);
    } catch (error) {
      await file.close();
      throw error;
    }
    await syncDirectory(this.#path);
    await this.#file.close();
    this.#file = file;
    this.#lines = entries.length;
  }
}

function lineOf(values: Readonly<Record<string, JournalValue | undefined>>): string {
  // JSON leaves undefined out: a key to be forgotten stands as null in a list of its own.
  const forgotten = Object.keys(values).filter((key) => values[key] === undefined);
  const text = JSON.stringify([values, forgotten]);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}

/** @returns undefined when a line is broken that is not the last */
function parse(content: string): { values: Map<string, JournalValue>; lines: string[] } | undefined {
  const values = new Map<string, JournalValue>();
  const lines: string[] = [];
  const all = content.split(/(?<=\n)/);
  for (const [index, line] of all.entries()) {
    const [, sum, text] = /^([0-9a-f]{8}) (.*)\n$/.exec(line) ?? [];
    if (text === undefined || crc32(text).toString(16).padStart(8, "0") !== sum)
      return index === all.length - 1 ? { values, lines } : undefined;
    const [put, forgotten] = JSON.parse(text) as [Record<string, JournalValue>, string[]];
    for (const [key, value] of Object.entries(put)) values.set(key, value);
    for (const key of forgotten) values.delete(key);
    lines.push(line);
  }
  return { values, lines };
}

function emptyWhenMissing(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "";
  throw error;
}

/** A new name is safe only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

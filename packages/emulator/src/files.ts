import { wordBytes } from "./api/words.ts";
import { formatTime } from "./clock.ts";
import { refusals } from "./refusal.ts";
import type { Router } from "./router.ts";
import type { Item } from "./table.ts";

/** All of a router's files together stay below this, bytes; a board's flash is as small. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What prints as the type of a file, by its name. The manual's samples have `.txt file`, `.json file` and `file`. */
function typeOf(name: string): string {
  const extension = /\.[^./]+$/.exec(name)?.[0];
  if (extension === ".rsc") return "script";
  if (extension === ".backup") return "backup";
  return extension === undefined ? "file" : `${extension} file`;
}

const isDirectory = (item: Item): boolean => item.values.type === "directory";

export const contentsOf = (item: Item): string => item.values.stored ?? "";

export const sizeOf = (item: Item): number => Buffer.byteLength(wordBytes(contentsOf(item)));

/** Names are written with and without the leading slash. */
export const fileName = (name: string): string => name.replace(/^\/+/, "").replace(/\/+$/, "");

/** The rows of `/file` as files, for whatever reads and writes them: fetch, export, SFTP. */
export class Files {
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  get all(): readonly Item[] {
    return this.#table.items;
  }

  get #table() {
    return this.#router.table("/file");
  }

  find(name: string): Item | undefined {
    const wanted = fileName(name);
    return this.all.find(({ values }) => values.name === wanted);
  }

  isDirectory(name: string): boolean {
    const item = this.find(name);
    return fileName(name) === "" || (item !== undefined && isDirectory(item));
  }

  /** What a row has besides what the command gave: its type and time. */
  describe(values: Record<string, string>): void {
    values.type = values.type === "directory" ? "directory" : typeOf(values.name ?? "");
    values.modified = formatTime(this.#router.clock.now(), this.#router.features.isoDates);
  }

  /** Make a file, or put new contents into one. @throws Refusal when there is no room, or a directory of that name */
  write(name: string, contents: string): Item {
    const found = this.find(name);
    if (found && isDirectory(found)) throw refusals.invalidValue("name");
    this.requireRoom(Buffer.byteLength(wordBytes(contents)));
    const values: Record<string, string> = { name: fileName(name), stored: contents };
    this.describe(values);
    const item = found ?? this.#table.add(values);
    if (found) this.#table.set(found, values);
    this.#router.commit();
    return item;
  }

  makeDirectory(name: string): void {
    const values: Record<string, string> = { name: fileName(name), type: "directory" };
    this.describe(values);
    this.#table.add(values);
    this.#router.commit();
  }

  remove(item: Item): void {
    this.removeInside(item.values.name ?? "");
    this.#table.remove(item);
    this.#router.commit();
  }

  /** What a directory holds goes with it. */
  removeInside(directory: string): void {
    const inside = this.all.filter(({ values }) => values.name?.startsWith(`${directory}/`));
    for (const item of inside) this.#table.remove(item);
  }

  requireRoom(bytes: number): void {
    const used = this.all.reduce((sum, item) => sum + sizeOf(item), 0);
    if (used + bytes > MAX_BYTES) throw refusals.failure("not enough space on disk");
  }

  /** Where there is a `flash` directory everything outside it is in RAM. Source: manual, "Files". */
  forgetRam(): void {
    if (!this.isDirectory("flash") || !this.find("flash")) return;
    for (const item of this.all.filter(({ values }) => !/^flash(\/|$)/.test(values.name ?? ""))) {
      this.#table.remove(item);
    }
  }
}

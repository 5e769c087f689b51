/** Looking for secrets where none may be, in the forms they may have taken on the way. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Secrets of one run, each with what it is. */
export class Canaries {
  readonly #forms = new Map<string, { what: string; forms: readonly string[] }>();

  /** @param secret 16 or more characters, so that nothing matches by chance */
  add(what: string, secret: string | null | undefined): void {
    if (!secret || secret.length < 16) throw new Error(`${what} is no secret to look for`);
    this.#forms.set(secret, { what, forms: formsOf(secret) });
  }

  get count(): number {
    return this.#forms.size;
  }

  /** What is in there, and in which words; empty when nothing is. */
  foundIn(place: string, haystack: string | Buffer): string[] {
    const text = typeof haystack === "string" ? haystack : haystack.toString("latin1");
    return [...this.#forms.values()].flatMap(({ what, forms }) => {
      const form = forms.find((one) => text.includes(one));
      return form === undefined ? [] : [`${what} in ${place}: …${around(text, form)}…`];
    });
  }
}

function around(text: string, form: string): string {
  const at = text.indexOf(form);
  const end = at + form.length;
  return `${text.slice(Math.max(0, at - 60), at)}<HERE>${text.slice(end, end + 20)}`;
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  return [secret, JSON.stringify(secret).slice(1, -1), hex, hex.toUpperCase(), ...base64Forms(bytes)];
}

/** A secret inside a longer text is encoded from one of three offsets; the outer characters mix with neighbours. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64url");
    const inner = encoded.slice(offset === 0 ? 0 : offset + 1, -2);
    return [inner, inner.replaceAll("-", "+").replaceAll("_", "/")];
  });
}

/** Every file below a directory that can be read, but those named. */
export async function* filesBelow(
  directory: string,
  except: readonly string[],
): AsyncGenerator<[string, Buffer]> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || except.includes(path)) continue;
    // PostgreSQL recycles files meanwhile.
    const content = await readFile(path).catch(() => undefined);
    if (content) yield [path, content];
  }
}

/** Command lines and environments of the processes a process has started, and theirs. */
export async function processesBelow(pid: number): Promise<{ place: string; content: string }[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) && (await readFile(`/proc/${name}/stat`, "utf8").catch(() => ""));
    // pid (comm) state ppid …; comm may hold anything but ends at the last parenthesis. Source: proc_pid_stat(5).
    if (stat) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const below = (one: number): boolean => {
    const parent = parents.get(one);
    return parent !== undefined && (parent === pid || below(parent));
  };
  const found = [];
  for (const child of [...parents.keys()].filter(below)) {
    for (const file of ["cmdline", "environ"]) {
      const place = `/proc/${child}/${file}`;
      const content = await readFile(place, "utf8").catch(() => "");
      found.push({ place, content });
    }
  }
  return found;
}

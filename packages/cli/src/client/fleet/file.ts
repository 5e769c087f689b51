/** A fleet file as text: its YAML, and on which line what stands, so that every message says where to look. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from "yaml";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../print.ts";

/** `["policies", "edge", "ssh", "port"]` */
export type Path = readonly PropertyKey[];

/** What is wrong, and where in the file. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** Aliases of anchors that may be expanded; without a bound a file of ten lines could become gigabytes. */
const MAX_ALIASES = 10_000;

/** The parser's words where ours are plainer. */
const WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "is given twice",
  MULTIPLE_DOCS: "a fleet file is one YAML document; remove the second and what follows",
};

export class FleetFile {
  readonly #name: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  /**
   * @param name as messages call it
   * @throws OperatorError it is no YAML
   */
  constructor(name: string, text: string) {
    this.#name = name;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      merge: true,
      stringKeys: true,
    });
    const { errors, warnings } = this.#document;
    const lines = [...errors, ...warnings].map(({ pos, code, message }) => {
      return `${this.#name}:${this.#lineAt(pos[0])} ${keyAt(text, code, pos[0])}${WORDS[code] ?? message}`;
    });
    if (lines.length > 0) throw refusal(lines);
  }

  /** The file as plain data. @throws OperatorError its aliases make it too large */
  data(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      throw refusal([`${this.#name}: ${(error as Error).message}`]);
    }
  }

  /** `fleet.yaml:12 policies.edge.ssh.networks.0: has host bits set`, each problem on its line. */
  refuse(problems: readonly Problem[]): OperatorError {
    return refusal(problems.map(({ path, message }) => `${this.at(path)}: ${message}`));
  }

  /** `fleet.yaml:12 policies.edge.ssh.networks`: the line of the deepest part of the path that the file has. */
  at(path: Path): string {
    const where = path.length === 0 ? "" : ` ${path.map(segment).join(".")}`;
    return `${this.#name}:${this.line(path)}${where}`;
  }

  /** Counted from 1. */
  line(path: Path): number {
    let node: unknown = this.#document.contents;
    let offset = offsetOf(node) ?? 0;
    for (const part of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      const child = childOf(node, part);
      if (child === undefined) break;
      offset = child.offset ?? offset;
      node = child.value;
    }
    return this.#lineAt(offset);
  }

  #lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }
}

/** Several problems of a file, one per line. */
function refusal(lines: readonly string[]): OperatorError {
  const [first = "", ...more] = lines.map((line) => printable(line));
  return new OperatorError([first, ...more.map((line) => `  ${line}`)].join("\n"));
}

interface Child {
  readonly offset: number | undefined;
  readonly value: unknown;
}

function childOf(node: unknown, part: PropertyKey): Child | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(part)];
    return value === undefined ? undefined : { offset: offsetOf(value), value };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }: Pair) => isScalar(key) && key.value === part);
  return pair && { offset: offsetOf(pair.key), value: pair.value };
}

function offsetOf(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] } | null)?.range?.[0];
}

/** `networks.0` as it is, `"Default Policy"` in quotes. */
function segment(part: PropertyKey): string {
  const text = String(part);
  return /^[\w-]+$/.test(text) ? text : JSON.stringify(text);
}

/** The parser tells of a key given twice only where it stands. */
function keyAt(text: string, code: string, offset: number): string {
  if (code !== "DUPLICATE_KEY") return "";
  const key = /^[^:\n]*/.exec(text.slice(offset))?.[0] ?? "";
  return `${key}: `;
}

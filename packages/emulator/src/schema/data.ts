import { readFileSync } from "node:fs";

/**
 * The published schemas the other menus are made of, as `scripts/schema.ts` wrote them; every file names its
 * source in `_meta`. Commands and arguments are those of tikoci/restraml's dumps of a CHR and of the manual's command
 * reference, defaults those of ansible-collections/community.routeros and the manual, arguments `add` insists on
 * those of tikoci/lsp-routeros-ts.
 */

/** What an argument takes, where the source has more than "string". */
export type TypeName =
  | "boolean"
  | "interval"
  | { readonly oneOf: readonly string[] }
  | { readonly listOf: readonly string[] };

/** One menu of one dump. */
export interface DumpedMenu {
  /** A list of rows, not one set of properties. */
  readonly rows: boolean;
  readonly print: boolean;
  /** `print` of its rows takes no `follow-only`: it can't be listened to. */
  readonly listen?: false;
  readonly ordered?: boolean;
  /** Of the commands menus share: add, set, unset, remove, move, enable, disable, comment. */
  readonly commands: readonly string[];
  readonly add?: readonly string[];
  readonly set?: readonly string[];
  /** What `get` completes to: readable properties. Deep dumps alone have it. */
  readonly properties?: readonly string[];
  readonly types?: Readonly<Record<string, TypeName>>;
  /** Commands only this menu has, with their arguments. */
  readonly own?: Readonly<Record<string, readonly string[]>>;
}

/** Configuration fields of one menu. */
export interface KnownFields {
  readonly single_value: boolean;
  readonly fields: Readonly<Record<string, KnownField>>;
}

export interface KnownField {
  readonly default?: string | number | boolean | null;
  readonly can_disable?: boolean;
  readonly remove_value?: unknown;
  readonly read_only?: boolean;
  readonly write_only?: boolean;
  readonly required?: boolean;
}

/** What `add` without arguments was answered. */
export interface Required {
  readonly required: readonly string[];
  readonly message: string;
}

interface Features {
  readonly features: Readonly<Record<string, { readonly first: string; readonly last: string }>>;
}

type ByMenu<T> = Readonly<Record<string, T>>;

/** Versions with a dump, oldest first. The deep one has values and readable properties. */
export const DUMPS = ["7.9", "7.22.3", "7.24"] as const;
export const DEEP_DUMP = "7.22.3";

/** Menus beside those of a dump: the IPv6 firewall from whole trees, settings as the manual lists their arguments. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  "7.9": ["more-7.9"],
  "7.22.3": ["more-7.23", "manual-7.24"],
  "7.24": ["more-7.23", "manual-7.24"],
};

function read<T>(file: string): T {
  const { _meta, ...content } = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
  return content as T;
}

export function readDump(version: string): ByMenu<DumpedMenu> {
  const files = [version, ...(BESIDE[version] ?? [])];
  return Object.assign({}, ...files.map((file) => read<ByMenu<DumpedMenu>>(`./${file}.json`)));
}

export const readFields = (version: "6.49" | "7.20"): ByMenu<KnownFields> => read(`./fields-${version}.json`);
export const readRequired = (): Readonly<Record<string, ByMenu<Required>>> => read("./required.json");
export const readFeatures = (): Features => read("./features.json");

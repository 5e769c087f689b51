/** Who may import whom in the server: the picture in ARCHITECTURE.md as a table, and what breaks it. */
import { posix } from "node:path";

/** What every module may use. */
const COMMON = ["kernel", "database", "background", "vault", "audit", "authorization"];

/** Module -> the modules it may import, beside itself. No module stands here twice in a circle. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  database: ["kernel"],
  background: ["database"],
  vault: ["kernel", "database"],
  audit: ["kernel", "database"],
  authorization: ["kernel"],
  // Machinery: knows no domain.
  http: ["kernel", "database", "vault", "authorization"],
  internal: ["kernel"],
  reconcile: ["kernel", "database", "background", "vault"],
  reachability: ["reconcile"],
  // Domains, each after those it may use.
  tokens: COMMON,
  sites: [...COMMON, "reconcile"],
  credentials: [...COMMON, "reconcile", "sites"],
  routers: [...COMMON, "reconcile", "sites", "credentials"],
  certificates: [...COMMON, "reconcile", "sites", "credentials", "routers"],
  rollouts: [...COMMON, "reconcile", "sites"],
  policies: [...COMMON, "reconcile", "reachability", "sites", "certificates", "rollouts"],
  hardening: [...COMMON, "reconcile", "reachability", "sites", "routers", "policies"],
  exposure: [...COMMON, "reconcile", "sites", "policies"],
  access: [...COMMON, "tokens", "reconcile", "sites", "policies"],
};

/** Files outside a module: they put modules together, and no module imports them. */
const COMPOSITION = /^((main|index|config|settings|management-address)\.ts$|(roles|supervisor)\/)/;

/** Beside `index.ts` and all of kernel: files without a database or socket below them, for code that must have none. */
const OPEN_FILES = ["reconcile/types.ts", "reconcile/plan.ts", "reconcile/describe.ts", "vault/secret.ts"];

/** Imports types, and values of these alone: no database, socket or clock. */
const isPure = (file: string) =>
  /(^|\/)desired\.ts$/.test(file) || file === "reconcile/plan.ts" || file.startsWith("reachability/");
const PURE_VALUES = /^(@portreeve\/(api-schema|routeros)|ipaddr\.js|node:crypto)$/;
const PURE_MODULES = new Set(["reachability", "reconcile", "credentials"]);

export interface Import {
  /** As written: `../sites/index.ts`, `node:net`. */
  readonly from: string;
  /** What is imported at run time; empty when only types are. */
  readonly values: readonly string[];
}

export function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "");
  const named = [...code.matchAll(/^(?:import|export)\s+(type\s)?([^"';]*?)\s*from\s+"([^"]+)";/gm)].map(
    ([, type, names = "", from = ""]) => ({ from, values: type ? [] : valuesOf(names) }),
  );
  const bare = [...code.matchAll(/(?:^import\s+|\bimport\()"([^"]+)"/gm)].map(([, from = ""]) => ({
    from,
    values: ["*"],
  }));
  return [...named, ...bare];
}

function valuesOf(names: string): string[] {
  return names
    .replace(/[{}]/g, ",")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "));
}

/** @param file below `src`, such as `sites/service.ts` @returns each import that breaks the picture, and why */
export function wrongImports(file: string, source: string): string[] {
  return importsOf(source).flatMap((one) => {
    const problem = one.from.startsWith(".")
      ? problemInside(file, posix.join(posix.dirname(file), one.from), one)
      : problemOutside(file, one);
    return problem === undefined ? [] : [`${file} imports ${one.from}: ${problem}`];
  });
}

function problemInside(file: string, target: string, { values }: Import): string | undefined {
  if (COMPOSITION.test(file)) return undefined;
  if (COMPOSITION.test(target)) return "no module imports what puts modules together";
  const [own, other] = [moduleOf(file), moduleOf(target)];
  if (own === other) return undefined;
  const allowed = MAY_IMPORT[own];
  if (allowed === undefined) return `${own} does not stand in the table of modules`;
  if (isPure(file) && values.length > 0 && !PURE_MODULES.has(other)) return "a pure file imports types alone";
  // Types alone: what a route is given is a transaction, and a module that only names its type needs no database.
  if (own === "kernel" && other === "database" && values.length === 0) return undefined;
  if (!allowed.includes(other)) return `${own} may not import ${other}`;
  if (other === "kernel" || target === `${other}/index.ts` || OPEN_FILES.includes(target)) return undefined;
  return "another module is imported through its index.ts";
}

function problemOutside(file: string, { from, values }: Import): string | undefined {
  if (!isPure(file) || values.length === 0 || PURE_VALUES.test(from)) return undefined;
  if (from === "node:net" && values.every((name) => name === "isIP")) return undefined;
  return "a pure file has no database, socket or clock";
}

function moduleOf(file: string): string {
  return file.split("/", 1)[0] as string;
}

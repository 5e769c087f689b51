/** Checks of one setting in a menu of settings: most of the manual's list is of this kind. */
import { canonical, type MenuFacts, type Row } from "@portreeve/routeros";
import type { Check, Evaluation } from "../types.ts";

type Described = Pick<Check, "id" | "title" | "severity" | "why" | "source">;

interface Setting extends Described {
  readonly menu: MenuFacts;
  /** What the setting has to be; by default `enabled` is off. */
  readonly wanted?: Readonly<Record<string, string>>;
  readonly caution?: string;
  /** Whether another value is good enough. */
  readonly accepts?: (value: string) => boolean;
}

/** A menu's setting has to have a value, and Portreeve can give it that. */
export function setting({
  menu,
  wanted = { enabled: "false" },
  caution,
  accepts,
  ...described
}: Setting): Check {
  const [[field, value] = ["", ""]] = Object.entries(wanted);
  const { kind } = menu.fields[field] ?? { kind: "text" };
  const isGood = (text: string) =>
    canonical(kind, text) === canonical(kind, value) || accepts?.(text) === true;
  return {
    ...described,
    reads: [menu.path],
    evaluate: ({ rows }) => evaluateSetting(menu, field, rows(menu.path)[0], isGood),
    fix: {
      // Its row is the router's own; it is never ours to remove.
      desired: () => [{ menu, rows: [{ key: "", fields: wanted }], owns: "none" }],
      ...(caution === undefined ? {} : { caution }),
    },
  };
}

function evaluateSetting(
  { path }: MenuFacts,
  field: string,
  row: Row | undefined,
  isGood: (text: string) => boolean,
): Evaluation {
  const text = row?.[field];
  if (text === undefined)
    return { status: "unknown", detail: `The router does not show ${field} of ${path}.` };
  const evidence = [{ menu: path, values: { [field]: text } }];
  return { status: isGood(text) ? "ok" : "open", detail: `${path} has ${field}=${text}.`, evidence };
}

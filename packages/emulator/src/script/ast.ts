import type { Menu } from "../menus/menu.ts";

/**
 * Values of the script language. Strings are bytes, one character each (Latin-1), because RouterOS counts and cuts
 * bytes; they become text again where they leave the script.
 */
export type Value =
  | { readonly type: "nothing" }
  | { readonly type: "nil" }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "num"; readonly value: bigint }
  | { readonly type: "str" | "ip" | "ip6" | "ip-prefix" | "ip6-prefix" | "id"; readonly value: string }
  /** Milliseconds. */
  | { readonly type: "time"; readonly value: number }
  | { readonly type: "array"; readonly items: readonly ArrayItem[] }
  | { readonly type: "code"; readonly code: Code };

export interface ArrayItem {
  readonly key: string | undefined;
  readonly value: Value;
}

/** Where something stands in its source, both counted from 1; columns count bytes. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export type Expression =
  | { readonly kind: "literal"; readonly value: Value }
  /** A string with `$name`, `$[…]` or `$(…)` in it. */
  | { readonly kind: "text"; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: "variable"; readonly name: string }
  /** Property of the row a `where` looks at. */
  | { readonly kind: "property"; readonly name: string }
  | { readonly kind: "array"; readonly elements: readonly Element[] }
  /** `[ … ]` */
  | { readonly kind: "result"; readonly statement: Statement }
  | { readonly kind: "code"; readonly code: Code }
  | { readonly kind: "unary"; readonly operator: string; readonly operand: Expression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

export interface Element {
  readonly key: Expression | undefined;
  readonly value: Expression;
}

/** `{ … }`, or a whole script. */
export interface Code {
  readonly source: string;
  readonly body: readonly Statement[];
}

export type Arguments = ReadonlyMap<string, Expression>;

export type Statement = { readonly position: Position } & (
  | { readonly kind: "block"; readonly code: Code }
  | { readonly kind: "builtin"; readonly name: string; readonly given: Arguments }
  | {
      readonly kind: "command";
      readonly menu: Menu;
      readonly name: string;
      readonly given: Arguments;
      /** Properties written `!name`. */
      readonly unset: readonly string[];
      readonly where: Expression | undefined;
    }
  /** `$function a b=c`, or `[…]` whose result is code. */
  | {
      readonly kind: "call";
      readonly target: Expression;
      readonly unnamed: readonly Expression[];
      readonly named: Arguments;
    }
);

/** The name an argument of kind `name` holds. */
export function nameIn(given: Arguments, argument: string): string {
  const expression = given.get(argument);
  return expression?.kind === "literal" && expression.value.type === "str" ? expression.value.value : "";
}

import type { Scope } from "@portreeve/api-schema";
import type { Caller } from "../kernel/actor.ts";
import { InsufficientScopeError } from "./errors.ts";

/** @throws InsufficientScopeError naming the scope */
export function requireScope(caller: Pick<Caller, "scopes">, scope: Scope): void {
  if (!caller.scopes.has(scope)) throw new InsufficientScopeError(scope);
}

import type { Row } from "@portreeve/routeros";
import type { GenericCommand, OwnCommand, Policy } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import type { Router } from "../router.ts";
import { add, move, remove, set, setOne, unset } from "./change.ts";
import {
  type Caller,
  type Command,
  done,
  type Outcome,
  refusalReplies,
  requirePolicies,
  TARGET_ARGUMENTS,
  targets,
  unknownParameter,
} from "./command.ts";
import { get, listen, print } from "./print.ts";
import { resolve } from "./resolve.ts";

export type { Caller, Outcome, Reply } from "./command.ts";
export { done, refusalReplies } from "./command.ts";
export { present } from "./print.ts";

type Run = (router: Router, command: Command, caller: Caller) => Outcome | Promise<Outcome>;

const READING: Readonly<Partial<Record<GenericCommand, Run>>> = { print, getall: print, get, listen };

const CHANGING: Readonly<Partial<Record<GenericCommand, Run>>> = {
  add,
  set,
  unset,
  remove,
  move,
  enable: setOne("disabled", "false"),
  disable: setOne("disabled", "true"),
  comment: setOne("comment", undefined),
};

/**
 * Carry out one API command for a caller. Whatever RouterOS refuses is an outcome too.
 * @param word "/ip/service/print"
 */
export async function execute(
  router: Router,
  caller: Caller,
  word: string,
  attributes: Row,
  queries: readonly string[],
): Promise<Outcome> {
  try {
    const { menu, name } = resolve(router, word);
    return await run(router, { menu, name, attributes, queries }, caller);
  } catch (error) {
    return { replies: refusalReplies(error) };
  }
}

function run(router: Router, command: Command, caller: Caller): Outcome | Promise<Outcome> {
  const { menu, name } = command;
  const own = menu.own?.[name];
  if (own) return runOwn(router, command, own, caller);
  const reading = READING[name as GenericCommand];
  if (reading) {
    requirePolicies(caller, ["read"]);
    return reading(router, command, caller);
  }
  const changing = CHANGING[name as GenericCommand];
  if (!changing) throw refusals.unknownCommand();
  const policies: readonly Policy[] = ["write", ...(menu.policy ?? [])];
  requirePolicies(caller, policies);
  return router.exclusive(async () => changing(router, command, caller));
}

async function runOwn(router: Router, command: Command, own: OwnCommand, caller: Caller): Promise<Outcome> {
  requirePolicies(caller, own.policy);
  const allowed = [...own.arguments, ...(own.targets ? TARGET_ARGUMENTS : [])];
  const unknown = Object.keys(command.attributes).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw unknownParameter(router, unknown);
  await own.run(router, command.attributes, own.targets ? targets(router, command) : []);
  return { replies: [done()] };
}

import type { Row } from "@portreeve/routeros";
import { type Caller, type Policy, requirePolicies } from "../caller.ts";
import { exportOf } from "../export.ts";
import type { Answer, Asked, GenericCommand, Menu, MenuHost, OwnCommand } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import { add, move, remove, set, setOne, unset } from "./change.ts";
import {
  attributeWords,
  type Command,
  done,
  type Outcome,
  type Reply,
  refusalReplies,
  TARGET_ARGUMENTS,
  targets,
  unknownParameter,
} from "./command.ts";
import { get, listen, print } from "./print.ts";
import { resolve } from "./resolve.ts";

export type { Command, Outcome, Reply } from "./command.ts";
export { done, refusalReplies } from "./command.ts";
export { present } from "./print.ts";

type Run = (router: MenuHost, command: Command, caller: Caller) => Outcome | Promise<Outcome>;

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
  router: MenuHost,
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

/** A command that isn't one of the generic ones: the menu's own, or `export`, which every menu has. */
export function ownCommand(menu: Menu, name: string): OwnCommand | undefined {
  if (name === "export") return exportOf(menu.path);
  return menu.own && Object.hasOwn(menu.own, name) ? menu.own[name] : undefined;
}

/** Carry out a command whose menu is found. @throws Refusal */
export function run(router: MenuHost, command: Command, caller: Caller): Outcome | Promise<Outcome> {
  const { menu, name } = command;
  const own = ownCommand(menu, name);
  if (own) return answerOwn(router, command, own, caller);
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

/** Check who asks and what for, then run a command only its menu has. */
export async function runOwn(
  router: MenuHost,
  command: Command,
  own: OwnCommand,
  asked: Asked,
): Promise<Answer | undefined> {
  requirePolicies(asked.caller, own.policy);
  const allowed = [...own.arguments, ...(own.targets ? TARGET_ARGUMENTS : [])];
  const unknown = Object.keys(command.attributes).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw unknownParameter(router, unknown);
  const items = own.targets ? targets(router, command) : [];
  return (await own.run(router, command.attributes, items, asked)) ?? undefined;
}

/** A command only one menu has, over the API: slow ones run beside the commands that follow them. */
async function answerOwn(
  router: MenuHost,
  command: Command,
  own: OwnCommand,
  caller: Caller,
): Promise<Outcome> {
  const ongoing = async (emit: (reply: Reply) => void, signal: AbortSignal): Promise<readonly Reply[]> => {
    try {
      const row = (values: Readonly<Record<string, string>>) => emit(["!re", ...attributeWords(values)]);
      const answer = await runOwn(router, command, own, { caller, console: false, row, signal });
      return [done(answer?.ret === undefined ? {} : { ret: answer.ret })];
    } catch (error) {
      return refusalReplies(error);
    }
  };
  if (own.slow) return { replies: [], ongoing };
  const replies: Reply[] = [];
  const last = await ongoing((reply) => replies.push(reply), new AbortController().signal);
  return { replies: [...replies, ...last] };
}

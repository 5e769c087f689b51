import type { Caller } from "./caller.ts";
import { contentsOf } from "./files.ts";
import type { MenuHost } from "./menus/menu.ts";
import { Refusal, refusals } from "./refusal.ts";
import { Scope } from "./script/environment.ts";
import { ScriptSyntaxError } from "./script/errors.ts";
import type { Interpreter } from "./script/interpreter.ts";
import { Parser } from "./script/parser.ts";
import { scriptRefusal } from "./script/refused.ts";
import { Names } from "./script/scope.ts";
import { bytesOf, textOf } from "./script/text.ts";

/**
 * `/import`: command by command, so that those before an erring line stay carried out.
 * @returns what was printed, lines ended by LF
 * @throws Refusal `Script Error: …`
 */
export async function importFile(
  router: MenuHost,
  caller: Caller,
  given: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const name = given["file-name"];
  if (name === undefined) throw refusals.missing("file-name");
  const file = router.files.find(name);
  if (!file || file.values.type === "directory") throw refusals.noItem();
  const fromLine = Number(given["from-line"] ?? 1);
  if (!Number.isInteger(fromLine) || fromLine < 1) throw refusals.invalidValue("from-line");
  const source =
    fromLine > 1
      ? contentsOf(file)
          .split("\n")
          .slice(fromLine - 1)
          .join("\n")
      : contentsOf(file);
  try {
    return await router.jobs.importText(caller, source, { signal, dryRun: given["dry-run"] !== undefined });
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(`Script Error: ${error.message}`);
    throw error;
  }
}

/** Carry out a text command by command, or with `dryRun` only read it. @returns what was printed @throws Refusal */
export async function runImport(run: Interpreter, text: string, dryRun: boolean): Promise<string> {
  const parser = new Parser(bytesOf(text), run.dictionary, { names: new Names(undefined) });
  if (dryRun) checkAll(parser);
  else await carryOut(run, parser);
  return textOf(run.output);
}

async function carryOut(run: Interpreter, parser: Parser): Promise<void> {
  const scope = new Scope();
  for (let next = parser.statement(); next; next = parser.statement()) {
    await run.run({ source: "", body: [next] }, scope);
  }
}

/** Every line that can't be read, without carrying out any. */
function checkAll(parser: Parser): void {
  let errors = 0;
  for (let more = true; more; ) {
    try {
      more = parser.statement() !== undefined;
    } catch (error) {
      if (!(error instanceof ScriptSyntaxError)) throw scriptRefusal(error);
      errors += 1;
      parser.skipLine();
    }
  }
  if (errors > 0) throw new Refusal(`found ${errors} error(s) in import file`);
}

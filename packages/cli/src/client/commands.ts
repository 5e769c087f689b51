/** The client's commands: what can be asked is data; what a verb does is loaded when it runs. */
import type { Command } from "commander";
import { ALONE, type Flag, NOUNS, type Verb } from "./nouns.ts";
import type { Run } from "./run-verb.ts";

/** Add every verb that stands alone, and every noun with its verbs, to the program. */
export function addClientCommands(program: Command): void {
  for (const [verb, details] of Object.entries(ALONE)) addVerb(program, verb, details, details.load);
  for (const [name, noun] of Object.entries(NOUNS)) {
    const command = program.command(name).description(noun.summary);
    for (const [verb, details] of Object.entries(noun.verbs)) {
      addVerb(command, verb, details, async () => (await noun.load())[verb] as Run);
    }
  }
}

function addVerb(parent: Command, name: string, verb: Verb, load: () => Promise<Run>): void {
  const command = parent
    .command(`${name} ${verb.arguments ?? ""}`.trim())
    .description(verb.summary)
    .option("--json", "print the API's answer")
    .allowExcessArguments(false);
  for (const flag of verb.flags ?? []) addFlag(command, flag);
  command.action(async () => {
    const { runVerb } = await import("./run-verb.ts");
    const { output, exitCode } = await runVerb(await load(), command.args, command.opts(), process.env);
    if (output !== "") process.stdout.write(`${output}\n`);
    process.exitCode = exitCode;
  });
}

function addFlag(command: Command, { flags, summary, required, value }: Flag): void {
  if (required) command.requiredOption(flags, summary, value);
  else command.option(flags, summary, value);
}

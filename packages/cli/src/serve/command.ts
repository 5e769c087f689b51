import type { Command } from "commander";
import { addSettingFlags, environmentWithFlags } from "./settings.ts";

/** `portreeve serve`: the server, until a signal ends it. */
export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .description("run the server; every setting is an environment variable or the flag of the same name")
    .allowExcessArguments(false)
    .action(async () => {
      const { serve } = await import("./serve.ts");
      await serve(environmentWithFlags(command, process.env));
    });
  addSettingFlags(command);
}

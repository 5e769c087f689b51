/** The command line: which commands there are. What a command needs is loaded when it runs, so that help is fast. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addClientCommands } from "./client/commands.ts";
import { addDemo } from "./demo/command.ts";
import { addEmulate } from "./emulate/command.ts";
import { addGateway } from "./gateway/command.ts";
import { addServe } from "./serve/command.ts";

export function createProgram(): Command {
  const program = new Command("portreeve")
    .description("Self-hosted control plane for MikroTik router fleets")
    .version(packageVersion())
    .enablePositionalOptions() // --version after a command is that command's own
    .showHelpAfterError("(portreeve --help lists commands, portreeve <command> --help its options)")
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  addDemo(program);
  addServe(program);
  addGateway(program);
  addEmulate(program);
  addClientCommands(program);
  return program;
}

function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** The command line: which commands there are. What a command needs is loaded when it runs, so that help is fast. */
import { Command } from "commander";
import { addDemo } from "./demo/command.ts";
import { addEmulate } from "./emulate/command.ts";
import { addServe } from "./serve/command.ts";

export function createProgram(): Command {
  const program = new Command("portreeve")
    .description("Self-hosted control plane for MikroTik router fleets")
    .showHelpAfterError("(portreeve --help lists commands, portreeve <command> --help its options)")
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  addDemo(program);
  addServe(program);
  addEmulate(program);
  return program;
}

import type { Command } from "commander";
import { addSettingFlags, environmentWithFlags } from "../serve/settings.ts";

/** `portreeve demo`: the server and three emulated routers, until a signal ends them. */
export function addDemo(program: Command): void {
  const command = program
    .command("demo")
    .description("run the server with three emulated routers, already adopted, and print what to try")
    .allowExcessArguments(false)
    .action(async () => {
      const { demo } = await import("./demo.ts");
      await demo(environmentWithFlags(command, process.env));
    });
  addSettingFlags(command, ["PORTREEVE_HTTP", "PORTREEVE_DATA_DIR", "PORTREEVE_GATEWAY_PORTS"]);
}

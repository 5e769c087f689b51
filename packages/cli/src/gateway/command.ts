import { GATEWAY_SETTINGS } from "@portreeve/gateway/settings";
import { type Command, Option } from "commander";
import { flagOf } from "../serve/settings.ts";

/** `portreeve gateway`: only the gateway, on a host of its own, until a signal ends it. */
export function addGateway(program: Command): void {
  const command = program
    .command("gateway")
    .description("run only a gateway, on another host: no database, no key, a token of its own")
    .allowExcessArguments(false)
    .action(async () => {
      const { runGateway } = await import("./gateway.ts");
      const given = Object.keys(GATEWAY_SETTINGS).map((name) => [
        name,
        command.getOptionValue(camel(flagOf(name))),
      ]);
      await runGateway({
        ...process.env,
        ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
      });
    });
  for (const [name, setting] of Object.entries(GATEWAY_SETTINGS)) {
    const unset = "default" in setting ? `; default: ${setting.default}` : "";
    command.addOption(
      new Option(`--${flagOf(name)} <${setting.value}>`, `${setting.description} [${name}${unset}]`),
    );
  }
}

function camel(flag: string): string {
  return flag.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

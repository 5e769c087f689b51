/** The server's settings as flags; the server itself checks the values. */
import { SETTINGS, type SettingName } from "@portreeve/server/settings";
import { type Command, Option } from "commander";

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** PORTREEVE_DATA_DIR -> data-dir */
export function flagOf(setting: string): string {
  return setting
    .replace(/^PORTREEVE_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

/** @param names the settings this command takes as flags; all unless given */
export function addSettingFlags(command: Command, names: readonly SettingName[] = NAMES): Command {
  for (const name of names) {
    const setting = SETTINGS[name];
    const otherwise = "default" in setting ? setting.default : setting.unset;
    const yesOrNo = setting.value === "true|false";
    const value = yesOrNo ? `[${setting.value}]` : `<${setting.value}>`;
    const description = `${setting.description} [${name}; default: ${otherwise}]`;
    const option = new Option(`--${flagOf(name)} ${value}`, description);
    command.addOption(yesOrNo ? option.preset("true") : option);
  }
  return command;
}

/** The environment with the flags given on the command line over it. */
export function environmentWithFlags(
  command: Command,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const merged = { ...environment };
  for (const option of command.options) {
    const name = NAMES.find((setting) => `--${flagOf(setting)}` === option.long);
    const given: unknown = command.getOptionValue(option.attributeName());
    if (name !== undefined && given !== undefined) merged[name] = String(given);
  }
  return merged;
}

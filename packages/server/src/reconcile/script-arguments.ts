/** Arguments of a command in a script. Pure. */
import { identifier, itemId, type Script, script, value } from "@portreeve/routeros";

/** Whose values are the `.id` of another row. */
const PLACES: ReadonlySet<string> = new Set(["place-before", "destination"]);

/** @param values by wire name */
export function withArguments(command: Script, values: Readonly<Record<string, string>>): Script {
  return Object.entries(values).reduce(
    (soFar, [name, text]) =>
      script`${soFar} ${identifier(name)}=${PLACES.has(name) ? itemId(text) : value(text)}`,
    command,
  );
}

/** Reading a JSON body from somebody we don't trust. */
import type { FastifyInstance } from "fastify";
import { MalformedBodyError } from "./errors.ts";

/** Nothing we accept is nested deeper than six; recursive code behind this (validation, logs) stays shallow. */
const MAX_DEPTH = 32;

/** Makes JSON the only body the server reads. An empty body counts as none. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "string" },
    async (_request: unknown, text: string) => {
      if (text === "") return undefined;
      return parseJson(text);
    },
  );
}

/**
 * @throws MalformedBodyError not JSON, nested too deeply, or a `__proto__` key that would reach into prototypes
 */
export function parseJson(text: string): unknown {
  refuseDeepNesting(text);
  try {
    // Looking at every key costs ten times the parsing: only where the name can be there, plain or escaped.
    return JSON.parse(text, /__proto__|\\u/.test(text) ? refusePrototypeKeys : undefined);
  } catch (error) {
    if (error instanceof MalformedBodyError) throw error;
    // Node's message quotes the text, which may hold a password.
    throw new MalformedBodyError("The body is not valid JSON.");
  }
}

/** Counts brackets outside strings: one pass, before anything is built. */
function refuseDeepNesting(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > MAX_DEPTH)
      throw new MalformedBodyError(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  }
}

function refusePrototypeKeys(this: unknown, key: string, value: unknown): unknown {
  // JSON.parse makes `__proto__` an own key, harmless until somebody copies the object by assignment.
  if (key === "__proto__") throw new MalformedBodyError("The body has a field named __proto__; remove it.");
  return value;
}

export type { Piece, ScriptValue } from "./pieces.ts";
export { array, duration, identifier, itemId, list, menu, value } from "./pieces.ts";
export type { Placeholder, Script } from "./script.ts";
export { script } from "./script.ts";

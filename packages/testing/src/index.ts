export { hold } from "./held.ts";
export { type WaitOptions, waitFor } from "./wait.ts";

export { InsufficientScopeError } from "./errors.ts";

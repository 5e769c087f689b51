export { requireScope } from "./scopes.ts";

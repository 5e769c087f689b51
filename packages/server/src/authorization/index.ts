export { assertScopes } from "./routes.ts";
export { requireScope } from "./scopes.ts";

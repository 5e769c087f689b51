export { Authenticator } from "./authenticator.ts";
export { ensureBootstrap } from "./bootstrap.ts";
export { actorOf, type Caller, type TokenHolder } from "./caller.ts";
export { BootstrapTokenError } from "./errors.ts";
export { tokenRoutes } from "./routes.ts";

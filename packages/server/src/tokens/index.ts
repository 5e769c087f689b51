export { Authenticator } from "./authenticator.ts";
export { ensureBootstrap } from "./bootstrap.ts";
export { BootstrapTokenError } from "./errors.ts";
export { tokenRoutes } from "./routes.ts";

export { Authenticator } from "./authenticator.ts";
export { ensureBootstrap } from "./bootstrap.ts";
export { BootstrapTokenError } from "./errors.ts";
export { tokenRoutes } from "./routes.ts";
export { generateToken, hashToken } from "./token-text.ts";

import { fileURLToPath } from "node:url";

/** Absolute path of the portal's files, to be served at `/` as they are. */
export const portalRoot: string = fileURLToPath(new URL("../public", import.meta.url));

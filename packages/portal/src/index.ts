import { fileURLToPath } from "node:url";

/** Directory of the web page's files, absolute: served as they are, from the sources as from the build. */
export const portalRoot: string = fileURLToPath(new URL("../public/", import.meta.url));

export { transientAccessContributor } from "./contributor.ts";
export { Doorkeeper } from "./doorkeeper.ts";
export { transientAccessRoutes } from "./routes.ts";
export { ACCESS_CHANNEL, TransientAccessService } from "./service.ts";

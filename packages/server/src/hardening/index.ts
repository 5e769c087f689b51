export { hardeningContributor } from "./contributor.ts";
export { hardeningRoutes } from "./routes.ts";
export { HardeningService } from "./service.ts";

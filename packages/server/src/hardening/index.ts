export { hardeningContributor } from "./contributor.ts";
export { readReport } from "./read-report.ts";
export { hardeningRoutes } from "./routes.ts";
export { HardeningService, type SiteIntent } from "./service.ts";

export { policyContributor } from "./contributor.ts";
export { policyRoutes } from "./routes.ts";
export { PolicyService } from "./service.ts";
export { defaultPolicy } from "./store.ts";

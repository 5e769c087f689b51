export { policySays, type SitePolicy, sitePolicy } from "./admission.ts";
export { policyContributor } from "./contributor.ts";
export { policyRoutes } from "./routes.ts";
export { PolicyService } from "./service.ts";
export { defaultPolicyId } from "./store.ts";

export { policyContributor } from "./contributor.ts";
export { ROUTEROS_SERVICE } from "./desired.ts";
export { policyRoutes } from "./routes.ts";
export { PolicyService } from "./service.ts";
export { defaultPolicyId } from "./store.ts";

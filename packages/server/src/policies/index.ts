export { evaluatePolicy, type SitePolicy, sitePolicy } from "./admission.ts";
export { policyContributor } from "./contributor.ts";
export { ROUTEROS_SERVICE } from "./desired.ts";
export { type PlanPreview, PolicyPreviews, type PreviewTarget } from "./preview.ts";
export { previewRoutes } from "./preview-routes.ts";
export { policyRoutes } from "./routes.ts";
export { PolicyService } from "./service.ts";
export { policySitePart, setCurrentRevision } from "./store.ts";

export { AddressRules } from "./address.ts";
export { askRouter, SiteNotFoundError, SiteNotReadyError } from "./errors.ts";
export { presentSteps } from "./present-steps.ts";
export {
  type RouterIdentity,
  recordAdopted,
  recordReached,
  SITE_STATE_CHANNEL,
  siteRecords,
} from "./records.ts";
export { siteRoutes } from "./routes.ts";
export { adoptionLoginBinding, SITE_CHANNEL, SiteService } from "./service.ts";
export { findAdoptedTwin, findSite, lockSite, type SiteRow } from "./store.ts";

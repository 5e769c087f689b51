export { AddressRules } from "./address.ts";
export { askRouter, SiteNotFoundError, SiteNotReadyError } from "./errors.ts";
export { presentSteps } from "./present-steps.ts";
export {
  type RouterIdentity,
  recordAdopted,
  recordMoved,
  recordReached,
  SITE_STATE_CHANNEL,
  siteRecords,
  type WayIn,
} from "./records.ts";
export { siteRoutes } from "./routes.ts";
export { adoptionLoginBinding, SITE_CHANNEL, SiteService } from "./service.ts";
export { changedIntent, findAdoptedTwin, findSite, lockSite, type SiteRow } from "./store.ts";

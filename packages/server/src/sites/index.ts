export { AddressRules } from "./address.ts";
export { askRouter, SiteNotFoundError, SiteNotReadyError } from "./errors.ts";
export { LatestSightings, sightingRoutes } from "./latest-sightings.ts";
export { presentSteps } from "./present-steps.ts";
export {
  type ManagementPath,
  type RouterIdentity,
  recordAdopted,
  recordMoved,
  recordReached,
  SITE_STATE_CHANNEL,
  siteRecords,
} from "./records.ts";
export { siteRoutes } from "./routes.ts";
export { adoptionLoginBinding, SITE_CHANNEL, SiteService } from "./service.ts";
export { Sightings } from "./sightings.ts";
export { changedIntent, findDuplicateSite, findSite, lockSite, type SiteRow } from "./store.ts";

export { AddressRules } from "./address.ts";
export { type ManagementPath, recordAdopted, type Traffic } from "./connections.ts";
export { askRouter, SiteNotFoundError, SiteNotReadyError } from "./errors.ts";
export { type AskProcess, answerSightings, LatestSightings } from "./latest-sightings.ts";
export { presentSteps } from "./present-steps.ts";
export {
  type RouterIdentity,
  recordMoved,
  recordReached,
  SITE_STATE_CHANNEL,
  siteRecords,
} from "./records.ts";
export { siteRoutes } from "./routes.ts";
export { adoptionLoginBinding, SITE_CHANNEL, type SitePart, SiteService } from "./service.ts";
export { Sightings } from "./sightings.ts";
export { findDuplicateSite, findSite, lockIdentities, lockSite, type SiteRow } from "./store.ts";
export { changeIntent } from "./sync.ts";

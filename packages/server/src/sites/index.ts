export { AddressRules } from "./address.ts";
export { SiteNotFoundError, SiteNotReadyError } from "./errors.ts";
export {
  type RouterIdentity,
  recordAdopted,
  recordMoved,
  recordReached,
  siteRecords,
  type WayIn,
} from "./records.ts";
export { siteRoutes } from "./routes.ts";
export { adoptionLoginBinding, SITE_CHANNEL, SiteService } from "./service.ts";
export { changedIntent, findAdoptedTwin, findSite, lockSite, type SiteRow } from "./store.ts";

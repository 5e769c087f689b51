export { CREDENTIALS, credentialContributor } from "./contributor.ts";
export { API_GROUP, API_POLICIES, desired as desiredUser } from "./desired.ts";
export { credentialRoutes } from "./routes.ts";
export { CredentialService } from "./service.ts";
export {
  activate,
  insertPending,
  type Login,
  listCredentials,
  openLogin,
  replacePending,
} from "./store.ts";

export { CredentialAccess } from "./access.ts";
export { credentialContributor } from "./contributor.ts";
export { API_GROUP, API_POLICIES } from "./desired.ts";
export { credentialRoutes } from "./routes.ts";
export { CredentialService } from "./service.ts";

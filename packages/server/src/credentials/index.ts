export { CredentialAccess } from "./access.ts";
export { credentialContributor } from "./contributor.ts";
export { credentialRoutes } from "./routes.ts";
export { CredentialService } from "./service.ts";

export { certificateContributor } from "./contributor.ts";
export { certificateRoutes } from "./routes.ts";
export { CertificateAuthorityService } from "./service.ts";

export { CERTIFICATES, certificateContributor } from "./contributor.ts";
export { under } from "./desired.ts";
export type { CertificateFacts, Transport } from "./facts.ts";
export { certificateRoutes } from "./routes.ts";
export { CertificateAuthorityService } from "./service.ts";
export { certificateSitePart } from "./store.ts";

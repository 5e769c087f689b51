export { type CertificateContributor, certificateContributor } from "./contributor.ts";
export type { Transport } from "./facts.ts";
export { certificateRoutes } from "./routes.ts";
export { CertificateAuthorityService } from "./service.ts";
export { certificateSitePart } from "./store.ts";

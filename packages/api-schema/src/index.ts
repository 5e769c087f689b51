export type { AuditEvent, AuditList, AuditQuery } from "./audit.ts";
export { auditEvent, auditList, auditQuery } from "./audit.ts";
export type { CertificateAuthority, CertificateAuthorityInput } from "./certificates.ts";
export { certificateAuthority, certificateAuthorityInput } from "./certificates.ts";
export type { ListQuery } from "./common.ts";
export { idParams, listOf, listQuery, reveal, siteParams, uuidParam } from "./common.ts";
export type { Credential } from "./credentials.ts";
export { credential } from "./credentials.ts";
export type { ExposureCheck } from "./exposure.ts";
export { exposureCheck, exposureList, FINDINGS, PORT_STATES, SOFTWARE } from "./exposure.ts";
export type { ManagementTransport } from "./fields.ts";
export {
  documentTime,
  isoTime,
  network,
  networkList,
  opensToEveryone,
  parseNetwork,
  uuid,
} from "./fields.ts";
export type { CreatedGateway, Gateway, GatewayInput, GatewayList } from "./gateways.ts";
export { createdGateway, gateway, gatewayInput, gatewayList } from "./gateways.ts";
export type { EnforcedFixes, Finding, FindingStatus, HardeningReport, Severity } from "./hardening.ts";
export { enforcedFixes, fixParams, hardeningFixes, hardeningReport, SEVERITIES } from "./hardening.ts";
export type {
  AccessCell,
  AccessRow,
  ChainRule,
  Plan,
  PlanStep,
  PolicyPreview,
  PreviewInput,
  SitePreview,
} from "./plans.ts";
export { MAX_PREVIEW_SITES, plan, policyPreview, previewInput } from "./plans.ts";
export type {
  AttachSites,
  ManagementNetwork,
  Policy,
  PolicyChange,
  PolicyInput,
  Service,
  ServiceName,
} from "./policies.ts";
export {
  admitManagement,
  attachSites,
  DEFAULT_TRUSTED_NETWORKS,
  managementNetwork,
  policy,
  policyChange,
  policyInput,
  SERVICE_NAMES,
} from "./policies.ts";
export type { Problem } from "./problem.ts";
export { PROBLEM_MEDIA_TYPE, problem, problemType } from "./problem.ts";
export type {
  Rollout,
  RolloutDetails,
  RolloutSite,
  RolloutSiteState,
  RolloutState,
} from "./rollouts.ts";
export {
  ROLLOUT_SITE_STATES,
  ROLLOUT_STATES,
  rollout,
  rolloutDetails,
  rolloutList,
  rolloutQuery,
  rolloutSiteList,
  rolloutSiteQuery,
} from "./rollouts.ts";
export type { Scope } from "./scopes.ts";
export { SCOPES, scope } from "./scopes.ts";
export type { Site, SiteInput, SitePatch } from "./sites.ts";
export { SITE_STATUSES, SYNC_STATES, site, siteInput, sitePatch } from "./sites.ts";
export type { CreatedToken, Token, TokenInput, TokenList } from "./tokens.ts";
export { createdToken, token, tokenInput, tokenList } from "./tokens.ts";
export type { TransientAccess, TransientAccessInput } from "./transient-access.ts";
export { transientAccess, transientAccessInput } from "./transient-access.ts";
export { plainMessage, problemsOf } from "./wording.ts";

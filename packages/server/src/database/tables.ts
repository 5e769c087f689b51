/** The tables as Kysely sees them. The SQL in `migrations/` is the source; keep both in step. */
import type { ManagementTransport, RolloutSiteState, RolloutState } from "@portreeve/api-schema";
import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from "kysely";
import type { CustomerId, GrantId, PolicyId, RevisionId, RolloutId, SiteId, TokenId } from "../kernel/ids.ts";

/** Written by the database (`now()`) unless given; the database's clock is the only one that decides access. */
type CreatedAt = ColumnType<Date, Date | undefined, never>;
type Time = Date;

export interface CustomersTable {
  id: Generated<CustomerId>;
  name: string;
  operates_installation: Generated<boolean>;
  created_at: CreatedAt;
}

export interface ApiTokensTable {
  id: Generated<TokenId>;
  customer_id: CustomerId;
  name: string;
  token_hash: Buffer;
  scopes: string[];
  expires_at: Time | null;
  last_used_at: Time | null;
  revoked_at: Time | null;
  created_at: CreatedAt;
}

export interface DataKeysTable {
  id: Generated<string>;
  customer_id: CustomerId;
  wrapped_key: Buffer;
  key_version: number;
  created_at: CreatedAt;
}

export interface AuditEventsTable {
  id: Generated<string>;
  customer_id: CustomerId;
  occurred_at: CreatedAt;
  actor: string;
  actor_id: string | null;
  source_address: string | null;
  action: string;
  subject_type: string;
  subject_id: string | null;
  site_id: SiteId | null;
  detail: JSONColumnType<Record<string, unknown>>;
}

export interface IdempotencyKeysTable {
  customer_id: CustomerId;
  key: string;
  request_hash: Buffer;
  status: number;
  response: Buffer;
  created_at: CreatedAt;
}

/** One service of a policy as stored; `networks` null means "none given". */
export interface StoredService {
  enabled: boolean;
  port: number;
  networks: string[] | null;
}

export interface PoliciesTable {
  id: Generated<PolicyId>;
  customer_id: CustomerId;
  name: string;
  slug: string;
  is_default: Generated<boolean>;
  revision_id: RevisionId;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface PolicyRevisionsTable {
  id: Generated<RevisionId>;
  customer_id: CustomerId;
  policy_id: PolicyId | null;
  number: number;
  services: JSONColumnType<Record<string, StoredService>>;
  trusted_networks: string[];
  custom_input_rules: boolean;
  brute_force_protection: boolean;
  drift: "repair" | "report";
  management_transport: ManagementTransport;
  created_at: CreatedAt;
}

export interface RolloutsTable {
  id: Generated<RolloutId>;
  customer_id: CustomerId;
  policy_id: PolicyId | null;
  revision_id: RevisionId;
  state: Generated<RolloutState>;
  reason: string | null;
  created_at: CreatedAt;
  ended_at: Time | null;
}

export interface RolloutSitesTable {
  customer_id: CustomerId;
  rollout_id: RolloutId;
  site_id: SiteId;
  from_revision_id: RevisionId;
  /** `unreachable` is never stored: it is read from the site. */
  state: Generated<Exclude<RolloutSiteState, "unreachable">>;
  wave: number | null;
  generation: string | null;
  started_at: Time | null;
  reason: string | null;
  excused: Generated<boolean>;
}

export type SiteStatus = "pending" | "online" | "offline" | "deleting";
export type SyncState = "in_sync" | "pending" | "drifted" | "failed" | "needs_attention";

/** A certificate of ours on a router, as it was read there; times are ISO 8601. */
export interface SiteCertificate {
  name: string;
  /** SHA-256, lower-case hexadecimal without colons. */
  fingerprint: string;
  not_after: string;
  issuer: string;
}

/** Who a site's router is. Every site has one row in each of the four tables that follow, too. */
export interface SitesTable {
  id: Generated<SiteId>;
  customer_id: CustomerId;
  /** Made by the database; see `bucketOf`. */
  bucket: ColumnType<number, never, never>;
  name: string;
  status: Generated<SiteStatus>;
  identity: string | null;
  model: string | null;
  serial_number: string | null;
  version: string | null;
  last_seen_at: Time | null;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

/** How it is reached. */
export interface SiteConnectionsTable {
  site_id: SiteId;
  customer_id: CustomerId;
  address: string;
  api_port: number;
  next_api_port: number | null;
  management_transport: ManagementTransport;
  tls_fingerprint: string | null;
  keeps_certificate: Generated<boolean>;
  management_address: string | null;
  reached_address: string | null;
  adoption_login: Buffer | null;
  metered: Generated<boolean>;
  bytes_sent: ColumnType<string, never, never>;
  bytes_received: ColumnType<string, never, never>;
  traffic_since: ColumnType<Date, never, never>;
}

/** What it is to have, and how far it is. */
export interface SiteSyncTable {
  site_id: SiteId;
  customer_id: CustomerId;
  generation: Generated<string>;
  changed_at: ColumnType<Date, Date | undefined, Date>;
  observed_generation: Generated<string>;
  checked_generation: Generated<string>;
  sync_state: Generated<SyncState>;
  sync_reason: string | null;
  sync_checked_at: Time | null;
  reconcile_requested_at: Time | null;
  management_path_armed: string | null;
  management_path_problem: string | null;
  management_path_problem_change: string | null;
}

export interface SitePoliciesTable {
  site_id: SiteId;
  customer_id: CustomerId;
  policy_id: PolicyId;
  policy_revision_id: RevisionId;
  verified_revision_id: RevisionId | null;
}

export interface SiteCertificatesTable {
  site_id: SiteId;
  customer_id: CustomerId;
  certificates: ColumnType<SiteCertificate[], string | undefined, string>;
  certificate_request: Buffer | null;
  certificate_number: Generated<number>;
}

export interface CertificateAuthoritiesTable {
  customer_id: CustomerId;
  certificate: string;
  private_key: Buffer;
  fingerprint: string;
  subject: string;
  not_after: Time;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface CredentialsTable {
  id: Generated<string>;
  customer_id: CustomerId;
  site_id: SiteId;
  username: string;
  password: Buffer;
  state: Generated<"pending" | "active" | "retired">;
  created_at: CreatedAt;
  activated_at: Time | null;
  deleted_at: Time | null;
}

export interface TransientAccessTable {
  id: Generated<GrantId>;
  customer_id: CustomerId;
  site_id: SiteId;
  token_id: TokenId;
  type: "winbox" | "ssh";
  username: string;
  password: Buffer;
  port: number;
  full_access: boolean;
  allow_rfc1918: boolean;
  allow_only_ip: string | null;
  allow_only_cidr: string | null;
  reason: string | null;
  created_at: CreatedAt;
  expires_at: Time;
  revoked_at: Time | null;
  authorized_at: Time | null;
  committed_at: Time | null;
  removed_from_site_at: Time | null;
  removed_from_gateway_at: Time | null;
  gateway_id: string;
  sequence: GeneratedAlways<string>;
}

export interface GatewaysTable {
  id: Generated<string>;
  name: string;
  token_hash: Buffer;
  entry_point: string;
  first_port: number;
  last_port: number;
  created_at: CreatedAt;
  last_seen_at: Time | null;
  instance: string | null;
  journal_id: string | null;
  fence: Generated<string>;
  lease_until: Time | null;
  report_sequence: Generated<string>;
  removed_at: Time | null;
  restored_at: Time | null;
}

export interface GrantLeasesTable {
  grant_id: GrantId;
  customer_id: CustomerId;
  gateway_id: string;
  fence: string;
  until: Time;
}

export interface SiteHardeningFixesTable {
  customer_id: CustomerId;
  site_id: SiteId;
  fix: string;
  /** Asked for again, it counts from then. */
  created_at: ColumnType<Date, Date | undefined, Date>;
}

/** One port as a check saw it. */
export interface StoredPort {
  port: number;
  service: string;
  state: string;
  software: string | null;
  version: string | null;
  answer: string | null;
  finding: string | null;
  reason: string;
}

export interface ExposureChecksTable {
  id: Generated<string>;
  customer_id: CustomerId;
  site_id: SiteId;
  checked_at: CreatedAt;
  address: string;
  from_address: string;
  policy_id: PolicyId;
  policy_name: string;
  answered: boolean;
  ports: JSONColumnType<StoredPort[]>;
}

export interface ExposureScheduleTable {
  site_id: SiteId;
  customer_id: CustomerId;
  next_check_at: Time;
  claim: string | null;
  running_until: Time | null;
}

export interface ExposureRequestsTable {
  customer_id: CustomerId;
  requested_at: CreatedAt;
}

export interface WorkflowsTable {
  site_id: SiteId;
  customer_id: CustomerId;
  kind: "adopt" | "rotate" | "move";
  state: string;
  generation: string;
  detail: JSONColumnType<Record<string, unknown>, string | undefined, string>;
  updated_at: Generated<Date>;
}

export interface LinkHandoversTable {
  site_id: SiteId;
  customer_id: CustomerId;
  kind: "observe" | "deliver" | "confirm";
  digest: string;
  delivery: JSONColumnType<Record<string, unknown>> | null;
  generation: string;
  wake_key: string;
  until: Time;
  is_answered: Generated<boolean>;
  created_at: CreatedAt;
}

export interface Tables {
  customers: CustomersTable;
  api_tokens: ApiTokensTable;
  data_keys: DataKeysTable;
  audit_events: AuditEventsTable;
  idempotency_keys: IdempotencyKeysTable;
  policies: PoliciesTable;
  policy_revisions: PolicyRevisionsTable;
  rollouts: RolloutsTable;
  rollout_sites: RolloutSitesTable;
  sites: SitesTable;
  site_connections: SiteConnectionsTable;
  site_sync: SiteSyncTable;
  site_policies: SitePoliciesTable;
  site_certificates: SiteCertificatesTable;
  certificate_authorities: CertificateAuthoritiesTable;
  credentials: CredentialsTable;
  transient_access: TransientAccessTable;
  gateways: GatewaysTable;
  grant_leases: GrantLeasesTable;
  site_hardening_fixes: SiteHardeningFixesTable;
  exposure_checks: ExposureChecksTable;
  exposure_schedule: ExposureScheduleTable;
  exposure_requests: ExposureRequestsTable;
  workflows: WorkflowsTable;
  link_handovers: LinkHandoversTable;
}

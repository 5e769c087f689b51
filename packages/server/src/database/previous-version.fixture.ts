/** A row or more in every table, as the version before the split of `sites` kept them. */

/** The last migration of that version. */
export const LAST_BEFORE_SPLIT = "0008_exposure.sql";

export const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
export const CUSTOMER = id(1);
const OTHER = id(2);
const [POLICY, REVISION, NEWER, TOKEN, ROLLOUT] = [id(3), id(4), id(5), id(6), id(7)];
/** A site with a value in every column, and one with as few as may be. */
export const [FULL, BARE] = [id(8), id(9)];
export const OTHER_POLICY = id(10);
const [OTHER_REVISION, OTHER_SITE] = [id(11), id(12)];

export const ROWS = `
  insert into customers (id, name) values ('${CUSTOMER}', 'c'), ('${OTHER}', 'other');
  insert into api_tokens (id, customer_id, name, token_hash, scopes)
    values ('${TOKEN}', '${CUSTOMER}', 't', '\\x01', '{sites:read}');
  insert into data_keys (customer_id, wrapped_key, key_version) values ('${CUSTOMER}', '\\x02', 1);
  insert into audit_events (customer_id, actor, action, subject_type) values ('${CUSTOMER}', 'a', 'b', 'c');
  insert into idempotency_keys (customer_id, key, request_hash, status, response)
    values ('${CUSTOMER}', 'k', '\\x03', 200, '\\x04');
  insert into policies (id, customer_id, name, slug, is_default, revision_id)
    values ('${POLICY}', '${CUSTOMER}', 'p', 'p', true, '${NEWER}'),
           ('${OTHER_POLICY}', '${OTHER}', 'o', 'o', true, '${OTHER_REVISION}');
  insert into policy_revisions (id, customer_id, policy_id, number, services, trusted_networks)
    values ('${REVISION}', '${CUSTOMER}', '${POLICY}', 1, '{"ssh": {"enabled": true}}', '{10.0.0.0/8}'),
           ('${NEWER}', '${CUSTOMER}', '${POLICY}', 2, '{}', '{}'),
           ('${OTHER_REVISION}', '${OTHER}', '${OTHER_POLICY}', 1, '{}', '{}');
  insert into sites
    (id, customer_id, policy_id, policy_revision_id, verified_revision_id, name, address, api_port, next_api_port,
     management_transport, tls_fingerprint, keeps_certificate, management_address, reached_address, adoption_login,
     status, sync_state, sync_reason, sync_checked_at, identity, model, serial_number, version, last_seen_at,
     generation, observed_generation, checked_generation, created_at, updated_at, way_in_armed, way_in_problem,
     way_in_problem_change, certificates, certificate_request, certificate_number)
    values ('${FULL}', '${CUSTOMER}', '${POLICY}', '${NEWER}', '${REVISION}', 'full', 'Router.example.net', 8729, 8730,
     'api-ssl', 'abcdef', true, '198.51.100.7', '192.0.2.9', '\\x05', 'online', 'needs_attention', 'a reason',
     '2026-01-02 03:04:05.678901+00', 'core', 'RB5009', 'HC1', '7.18', '2026-01-02 03:04:06+00', 41, 39, 40,
     '2025-12-31 00:00:00+00', '2026-01-01 00:00:00+00', 'armed change', 'undone because', 'undone change',
     '[{"name": "portreeve-1", "fingerprint": "abcdef", "not_after": "2027-01-01T00:00:00Z", "issuer": "x"}]',
     '\\x06', 3);
  insert into sites (id, customer_id, policy_id, policy_revision_id, name, address, api_port)
    values ('${BARE}', '${CUSTOMER}', '${POLICY}', '${REVISION}', 'bare', '192.0.2.1', 8728),
           ('${OTHER_SITE}', '${OTHER}', '${OTHER_POLICY}', '${OTHER_REVISION}', 'other', '192.0.2.1', 8728);
  insert into rollouts (id, customer_id, policy_id, revision_id)
    values ('${ROLLOUT}', '${CUSTOMER}', '${POLICY}', '${NEWER}');
  insert into rollout_sites (customer_id, rollout_id, site_id, from_revision_id, state, wave, generation)
    values ('${CUSTOMER}', '${ROLLOUT}', '${FULL}', '${REVISION}', 'delivering', 1, 41);
  insert into credentials (customer_id, site_id, username, password) values ('${CUSTOMER}', '${FULL}', 'u', '\\x07');
  insert into transient_access (customer_id, site_id, token_id, type, username, password, port, full_access,
                                allow_rfc1918, expires_at)
    values ('${CUSTOMER}', '${FULL}', '${TOKEN}', 'ssh', 'u', '\\x08', 40000, false, false, now());
  insert into site_hardening_fixes (customer_id, site_id, fix) values ('${CUSTOMER}', '${FULL}', 'socks');
  insert into exposure_checks (customer_id, site_id, address, from_address, policy_id, policy_name, answered, ports)
    values ('${CUSTOMER}', '${FULL}', '192.0.2.9', '192.0.2.2', '${POLICY}', 'p', true, '[]');
  insert into exposure_schedule (customer_id, site_id, next_check_at) values ('${CUSTOMER}', '${FULL}', now());
  insert into exposure_requests (customer_id) values ('${CUSTOMER}');
  insert into certificate_authorities (customer_id, certificate, private_key, fingerprint, subject, not_after)
    values ('${CUSTOMER}', 'c', '\\x09', 'f', 's', now());`;

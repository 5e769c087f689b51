-- Two roles without a login of their own; the connecting user (the owner of the tables) switches into one
-- of them for every transaction. Neither owns a table, so row-level security binds both.
--   portreeve_tenant  sees the rows of the customer named by the setting portreeve.customer_id
--   portreeve_system  the reconciler, the gateway and the token look-up: all customers
-- Roles belong to the cluster, not the database: another database may have made them already.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['portreeve_tenant', 'portreeve_system'] loop
    begin
      if to_regrole(role_name) is null then execute format('create role %I nologin', role_name); end if;
    exception when duplicate_object or unique_violation then null;   -- made at the same moment
    end;
    if not pg_has_role(current_user, role_name, 'set') then
      execute format('grant %I to current_user', role_name);
    end if;
  end loop;
end
$$;

create function portreeve_customer() returns uuid language sql stable
  return nullif(current_setting('portreeve.customer_id', true), '')::uuid;

-- References between tenant tables carry customer_id: row-level security does not bind foreign keys, so a plain one
-- would let a customer point at another's row, and tell from the refusal which ids exist.

create table customers (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  created_at timestamptz not null default now()
);

create table api_tokens (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  name text not null,
  token_hash bytea not null unique,             -- SHA-256 of the whole token; the token itself is never stored
  scopes text[] not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  unique (customer_id, id)
);

create table data_keys (                         -- envelope encryption: one data key per customer and version
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  wrapped_key bytea not null,                    -- data key sealed by the key-encryption key
  key_version integer not null,                  -- version of the key-encryption key
  created_at timestamptz not null default now()
);
create unique index on data_keys (customer_id);

create table audit_events (
  id bigint generated always as identity primary key,
  customer_id uuid not null references customers,
  occurred_at timestamptz not null default now(),
  actor text not null,                           -- 'token:<name>' or 'system:<part>'
  actor_id uuid,
  source_address text,
  action text not null,                          -- 'policy.updated', 'credential.revealed', …
  subject_type text not null,
  subject_id uuid,
  site_id uuid,
  detail jsonb not null default '{}'
);
create index on audit_events (customer_id, id desc);
create index on audit_events (customer_id, site_id, id desc);

create table idempotency_keys (
  customer_id uuid not null references customers,
  key text not null,
  request_hash bytea not null,                   -- HMAC over token, method, path and body, keyed per customer: a body may hold a password
  status integer not null,
  response bytea not null,                       -- sealed: an answer may hold a password
  created_at timestamptz not null default now(),
  primary key (customer_id, key)
);
create index on idempotency_keys (created_at);

create table policies (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  name text not null,
  slug text not null unique,
  is_default boolean not null default false,
  services jsonb not null,                       -- {winbox: {enabled, port, networks}, …}, the eight of the API
  trusted_networks text[] not null,
  custom_input_rules boolean not null default true,
  brute_force_protection boolean not null default false,
  management_transport text not null default 'api' check (management_transport in ('api', 'api-ssl')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (customer_id, id)
);
create unique index policies_one_default on policies (customer_id) where is_default;

create table sites (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  policy_id uuid not null,
  name text not null,
  address text not null,                         -- as given: an address or a host name
  api_port integer not null check (api_port between 1 and 65535),          -- the port that answered last
  next_api_port integer check (next_api_port between 1 and 65535),         -- where a delivery in progress moves it
  management_transport text not null default 'api' check (management_transport in ('api', 'api-ssl')),
  tls_fingerprint text,
  management_address text,                       -- what the router sees us come from; null until adopted
  adoption_login bytea,                          -- sealed {username, password}; destroyed once adopted
  status text not null default 'pending' check (status in ('pending', 'online', 'offline', 'deleting')),
  sync_state text not null default 'pending'
    check (sync_state in ('in_sync', 'pending', 'drifted', 'failed', 'needs_attention')),
  sync_reason text,
  sync_checked_at timestamptz,
  identity text,
  model text,
  serial_number text,
  version text,
  last_seen_at timestamptz,
  generation bigint not null default 1,          -- grows with every change of intent
  observed_generation bigint not null default 0, -- the generation the last successful run delivered
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (customer_id, id),
  foreign key (customer_id, policy_id) references policies (customer_id, id)
);
create index on sites (policy_id);

create table credentials (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  site_id uuid not null,
  username text not null,
  password bytea not null,                       -- sealed
  state text not null default 'pending' check (state in ('pending', 'active', 'retired')),
  created_at timestamptz not null default now(),
  activated_at timestamptz,
  deleted_at timestamptz,
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);
create unique index credentials_one_pending on credentials (site_id) where state = 'pending';
create unique index credentials_one_active on credentials (site_id) where state = 'active';
create index on credentials (customer_id, site_id);

create table transient_access (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  site_id uuid not null,
  token_id uuid not null,                        -- who opened it
  type text not null check (type in ('winbox', 'ssh')),
  username text not null unique,
  password bytea not null,                       -- sealed
  port integer not null,
  full_access boolean not null,
  allow_rfc1918 boolean not null,
  allow_only_ip text,
  allow_only_cidr text,
  reason text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  authorized_at timestamptz,                     -- first accepted connection
  committed_at timestamptz,                      -- its user was seen on the router
  removed_from_site_at timestamptz,              -- its user was seen gone from the router
  removed_from_gateway_at timestamptz,           -- its listener is closed
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade,
  foreign key (customer_id, token_id) references api_tokens (customer_id, id)
);
-- A port belongs to one grant until the gateway has closed its listener.
create unique index transient_access_port on transient_access (port) where removed_from_gateway_at is null;
create index on transient_access (port, removed_from_gateway_at);
create index on transient_access (customer_id, site_id);
-- Any free port of the range: not in use, and not another customer's in the last ten minutes, whose people may still
-- try it. Runs as the owner, because a customer can't see who else holds ports; it answers a number and no more.
create function free_gateway_port(first integer, last integer) returns integer
  language sql volatile security definer set search_path from current
  return (
    select port from generate_series(first, last) as port
    where not exists (
      select from transient_access held
      where held.port = port.port
        and (held.removed_from_gateway_at is null
             or (held.removed_from_gateway_at > now() - interval '10 minutes'
                 and held.customer_id is distinct from portreeve_customer()))
    )
    order by random() limit 1
  );

create index transient_access_unfinished on transient_access (site_id)
  where removed_from_site_at is null or removed_from_gateway_at is null;

-- Row-level security: the same two policies on every table that carries customer_id.
do $$
declare
  table_name text;
begin
  foreach table_name in array array['api_tokens', 'data_keys', 'audit_events', 'idempotency_keys', 'policies',
                                    'sites', 'credentials', 'transient_access'] loop
    execute format('alter table %I enable row level security', table_name);
    execute format('create policy tenant on %I to portreeve_tenant
                    using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer())',
                   table_name);
    execute format('create policy system on %I to portreeve_system using (true) with check (true)', table_name);
  end loop;
end
$$;
alter table customers enable row level security;
create policy tenant on customers to portreeve_tenant using (id = portreeve_customer());
create policy system on customers to portreeve_system using (true) with check (true);

grant select, insert, update, delete on
  api_tokens, data_keys, idempotency_keys, policies, sites, credentials, transient_access
  to portreeve_tenant, portreeve_system;
grant select on customers to portreeve_tenant;
grant select, insert on customers to portreeve_system;
grant select, insert on audit_events to portreeve_tenant, portreeve_system;   -- append only

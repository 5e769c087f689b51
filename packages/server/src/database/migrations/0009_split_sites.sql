-- What is known of a site stood in one table that five modules wrote. Each module has a table of its own now, with one
-- row a site; `sites` keeps who the router is.

create table site_connections (                  -- how to reach the router
  site_id uuid primary key,
  customer_id uuid not null references customers,
  address text not null,                         -- as given: an address or a host name
  api_port integer not null check (api_port between 1 and 65535),          -- the port that answered last
  next_api_port integer check (next_api_port between 1 and 65535),         -- where a delivery in progress moves it
  management_transport text not null default 'api' check (management_transport in ('api', 'api-ssl')),
  tls_fingerprint text,                          -- of the certificate the router showed last
  -- The certificate is the operator's: it stays, and so does api-ssl, whatever the policy says.
  keeps_certificate boolean not null default false,
  management_address text,                       -- what the router sees us come from; null until adopted
  -- Where a login of ours worked last. Only there is a site looked at from outside: an address that was merely written
  -- down may be anybody's.
  reached_address text,
  adoption_login bytea,                          -- sealed {username, password}; destroyed once adopted
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);
-- No unique index: the port follows what a router answers on, so two sites may come to be at the same one.
create index on site_connections (customer_id, lower(address));

create table site_policies (                     -- the policy of the site, and the revision of one its router is to have
  site_id uuid primary key,
  customer_id uuid not null references customers,
  policy_id uuid not null,
  policy_revision_id uuid not null,
  verified_revision_id uuid,                     -- the one its router was last found in sync with
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade,
  foreign key (customer_id, policy_id) references policies (customer_id, id),
  foreign key (customer_id, policy_revision_id) references policy_revisions (customer_id, id),
  foreign key (customer_id, verified_revision_id) references policy_revisions (customer_id, id)
);
create index on site_policies (policy_id);

create table site_certificates (                 -- Portreeve's own certificates on the router
  site_id uuid primary key,
  customer_id uuid not null references customers,
  certificates jsonb not null default '[]',      -- [{name, fingerprint, not_after, issuer}, …]
  certificate_request bytea,                     -- sealed: a request under way, with the passphrase of its key's file
  certificate_number integer not null default 1, -- grows with every renewal
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);

create table site_sync (                         -- what the site is to have, and how far its router is
  site_id uuid primary key,
  customer_id uuid not null references customers,
  generation bigint not null default 1,          -- grows with every change of intent
  changed_at timestamptz not null default now(), -- when it last grew
  observed_generation bigint not null default 0, -- the generation the last successful run delivered
  checked_generation bigint not null default 0,  -- the generation the last run tried to deliver
  sync_state text not null default 'pending'
    check (sync_state in ('in_sync', 'pending', 'drifted', 'failed', 'needs_attention')),
  sync_reason text,
  sync_checked_at timestamptz,
  -- A change of the management path is delivered behind an entry on the router that undoes it. What is known of it:
  management_path_armed text,                    -- the change that was begun and whose end was not seen
  management_path_problem text,                  -- why a change was undone
  management_path_problem_change text,           -- that change; it is not tried again by itself
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);

insert into site_connections
    (site_id, customer_id, address, api_port, next_api_port, management_transport, tls_fingerprint, keeps_certificate,
     management_address, reached_address, adoption_login)
  select id, customer_id, address, api_port, next_api_port, management_transport, tls_fingerprint, keeps_certificate,
         management_address, reached_address, adoption_login
    from sites;
insert into site_policies (site_id, customer_id, policy_id, policy_revision_id, verified_revision_id)
  select id, customer_id, policy_id, policy_revision_id, verified_revision_id from sites;
insert into site_certificates (site_id, customer_id, certificates, certificate_request, certificate_number)
  select id, customer_id, certificates, certificate_request, certificate_number from sites;
insert into site_sync
    (site_id, customer_id, generation, changed_at, observed_generation, checked_generation, sync_state, sync_reason,
     sync_checked_at, management_path_armed, management_path_problem, management_path_problem_change)
  select id, customer_id, generation, updated_at, observed_generation, checked_generation, sync_state, sync_reason,
         sync_checked_at, way_in_armed, way_in_problem, way_in_problem_change
    from sites;

alter table sites
  drop column policy_id,
  drop column policy_revision_id,
  drop column verified_revision_id,
  drop column address,
  drop column api_port,
  drop column next_api_port,
  drop column management_transport,
  drop column tls_fingerprint,
  drop column keeps_certificate,
  drop column management_address,
  drop column reached_address,
  drop column adoption_login,
  drop column certificates,
  drop column certificate_request,
  drop column certificate_number,
  drop column generation,
  drop column observed_generation,
  drop column checked_generation,
  drop column sync_state,
  drop column sync_reason,
  drop column sync_checked_at,
  drop column way_in_armed,
  drop column way_in_problem,
  drop column way_in_problem_change,
  -- Checked at the commit: a site is created with a row in each of them, and none of those goes while the site stays.
  -- So whoever joins them misses no site.
  add foreign key (id) references site_connections (site_id) deferrable initially deferred,
  add foreign key (id) references site_policies (site_id) deferrable initially deferred,
  add foreign key (id) references site_certificates (site_id) deferrable initially deferred,
  add foreign key (id) references site_sync (site_id) deferrable initially deferred;
-- Is this router a site already?
create index on sites (customer_id, serial_number) where serial_number is not null;

do $$
declare
  table_name text;
begin
  foreach table_name in array array['site_connections', 'site_policies', 'site_certificates', 'site_sync'] loop
    execute format('alter table %I enable row level security', table_name);
    execute format('create policy tenant on %I to portreeve_tenant
                    using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer())',
                   table_name);
    execute format('create policy system on %I to portreeve_system using (true) with check (true)', table_name);
  end loop;
end
$$;
-- Rows go with their site alone: nobody deletes them.
grant select, insert, update on site_connections, site_policies, site_certificates, site_sync
  to portreeve_tenant, portreeve_system;

-- Until the first round of autovacuum PostgreSQL would take the new tables for empty and join them row by row.
analyze sites, site_connections, site_policies, site_certificates, site_sync;

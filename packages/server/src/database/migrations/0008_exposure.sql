-- What a site's ports answer to somebody outside.

-- Where a login of ours worked last. Only there is a site looked at: an address that was merely written down may be
-- anybody's.
alter table sites add column reached_address text;

create table exposure_checks (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  site_id uuid not null,
  checked_at timestamptz not null default now(),
  address text not null,                         -- what the site's address led to
  from_address text not null,                    -- where the check came from, as far as this host knows
  policy_id uuid not null,                       -- the policy at that time, which may be gone since
  policy_name text not null,
  answered boolean not null,                     -- false: no port said anything, so the check tells nothing
  ports jsonb not null,                          -- [{port, service, state, …}]
  unique (customer_id, id),
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);
create index on exposure_checks (site_id, checked_at desc, id desc);

create table exposure_schedule (                 -- one row per site that was ever due or asked for
  site_id uuid primary key,
  customer_id uuid not null references customers,
  next_check_at timestamptz not null,
  claim uuid,                                    -- the check that is running
  running_until timestamptz,                     -- it ends by then; past: its process was killed
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);
create index on exposure_schedule (next_check_at);

create table exposure_requests (                 -- of the last minute, to keep a customer from asking too often
  customer_id uuid not null references customers,
  requested_at timestamptz not null default now()
);
create index on exposure_requests (customer_id, requested_at);

do $$
declare
  table_name text;
begin
  foreach table_name in array array['exposure_checks', 'exposure_schedule', 'exposure_requests'] loop
    execute format('alter table %I enable row level security', table_name);
    execute format('create policy tenant on %I to portreeve_tenant
                    using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer())',
                   table_name);
    execute format('create policy system on %I to portreeve_system using (true) with check (true)', table_name);
  end loop;
end
$$;
grant select, insert, update, delete on exposure_checks, exposure_schedule, exposure_requests
  to portreeve_tenant, portreeve_system;

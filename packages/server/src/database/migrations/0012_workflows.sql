-- What takes a router several steps, with its answer in between.

create table workflows (                         -- a workflow without a row is in its first state
  site_id uuid not null,
  customer_id uuid not null references customers,
  kind text not null check (kind in ('adopt', 'rotate', 'move')),
  state text not null,
  generation bigint not null,                    -- the site's when it began
  detail jsonb not null default '{}',            -- what its next transition needs; never a secret
  updated_at timestamptz not null default now(),
  primary key (site_id, kind),
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);

create table link_handovers (                    -- what a router that answers later was given, until the run has ended
  site_id uuid not null,
  customer_id uuid not null references customers,
  kind text not null check (kind in ('observe', 'deliver', 'confirm')),
  digest text not null,                          -- SHA-256 of kind and request
  delivery json,                                 -- of a delivery: its steps as they were digested, secrets by reference
  generation bigint not null,
  wake_key text not null,                        -- names it to whoever hears the answer
  until timestamptz not null,                    -- no answer by then: what became of it is unknown
  is_answered boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (site_id, digest),
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);
create unique index on link_handovers (wake_key);

do $$
declare
  table_name text;
begin
  foreach table_name in array array['workflows', 'link_handovers'] loop
    execute format('alter table %I enable row level security', table_name);
    execute format('create policy tenant on %I to portreeve_tenant
                    using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer())',
                   table_name);
    execute format('create policy system on %I to portreeve_system using (true) with check (true)', table_name);
  end loop;
end
$$;
grant select, insert, update, delete on workflows, link_handovers to portreeve_tenant, portreeve_system;

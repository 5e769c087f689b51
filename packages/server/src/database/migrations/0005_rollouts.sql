-- Roll-outs: a policy's revision on its way to the policy's sites.
create table rollouts (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  policy_id uuid,                                -- null once the policy is deleted
  revision_id uuid not null,                     -- what its sites get
  state text not null default 'running' check (state in
    ('running', 'paused', 'stopped', 'rolling_back', 'done', 'rolled_back', 'superseded')),
  reason text,                                   -- why it stopped
  created_at timestamptz not null default now(),
  ended_at timestamptz,                          -- null while it is under way: in one of the first four states
  check ((ended_at is null) = (state in ('running', 'paused', 'stopped', 'rolling_back'))),
  unique (customer_id, id),
  foreign key (customer_id, policy_id) references policies (customer_id, id) on delete set null (policy_id),
  foreign key (customer_id, revision_id) references policy_revisions (customer_id, id)
);
create unique index rollouts_one_under_way on rollouts (policy_id) where ended_at is null;
create index on rollouts (customer_id, created_at desc, id desc);

create table rollout_sites (
  customer_id uuid not null references customers,
  rollout_id uuid not null,
  site_id uuid not null,
  from_revision_id uuid not null,                -- what its router was last found in sync with: where it goes back to
  state text not null default 'waiting' check (state in
    ('waiting', 'delivering', 'verified', 'failed', 'reverting', 'reverted', 'left')),
  wave integer,                                  -- null before it has been started
  generation bigint,                             -- of the site, when it was given the revision (or the one before, again)
  started_at timestamptz,
  reason text,                                   -- why it failed
  excused boolean not null default false,        -- somebody resumed in spite of its failure
  primary key (rollout_id, site_id),
  foreign key (customer_id, rollout_id) references rollouts (customer_id, id) on delete cascade,
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade,
  foreign key (customer_id, from_revision_id) references policy_revisions (customer_id, id)
);
create index on rollout_sites (site_id);

alter table sites add column checked_generation bigint not null default 0; -- what the last run tried to deliver

do $$
declare
  table_name text;
begin
  foreach table_name in array array['rollouts', 'rollout_sites'] loop
    execute format('alter table %I enable row level security', table_name);
    execute format('create policy tenant on %I to portreeve_tenant
                    using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer())',
                   table_name);
    execute format('create policy system on %I to portreeve_system using (true) with check (true)', table_name);
  end loop;
end
$$;
grant select, insert, update on rollouts, rollout_sites to portreeve_tenant, portreeve_system;

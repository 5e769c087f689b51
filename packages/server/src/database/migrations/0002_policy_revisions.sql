-- What a policy says, kept each time it changes. A policy points at its current revision. A site points at the one it
-- is to have, which may be an older one, or another policy's, while a change is on its way; and at the one its router
-- was last found in sync with.
create table policy_revisions (
  id uuid primary key default gen_random_uuid(),
  customer_id uuid not null references customers,
  policy_id uuid,                                -- null once the policy is deleted: sites may still be under it
  number integer not null,                       -- 1, 2, … within the policy
  services jsonb not null,                       -- {winbox: {enabled, port, networks}, …}, the eight of the API
  trusted_networks text[] not null,
  custom_input_rules boolean not null default true,
  brute_force_protection boolean not null default false,
  management_transport text not null default 'api' check (management_transport in ('api', 'api-ssl')),
  created_at timestamptz not null default now(),
  unique (customer_id, id),
  unique (policy_id, number),
  foreign key (customer_id, policy_id) references policies (customer_id, id) on delete set null (policy_id)
);

insert into policy_revisions (customer_id, policy_id, number, services, trusted_networks, custom_input_rules,
                              brute_force_protection, management_transport, created_at)
  select customer_id, id, 1, services, trusted_networks, custom_input_rules,
         brute_force_protection, management_transport, updated_at
    from policies;

alter table policies add column revision_id uuid;
update policies set revision_id = revision.id from policy_revisions revision where revision.policy_id = policies.id;
alter table policies
  alter column revision_id set not null,
  -- Checked at the commit: a policy and its first revision point at each other.
  add foreign key (customer_id, revision_id) references policy_revisions (customer_id, id)
    deferrable initially deferred,
  drop column services,
  drop column trusted_networks,
  drop column custom_input_rules,
  drop column brute_force_protection,
  drop column management_transport;

alter table sites add column policy_revision_id uuid, add column verified_revision_id uuid;
update sites set
    policy_revision_id = policies.revision_id,
    verified_revision_id = case when sites.sync_state = 'in_sync' then policies.revision_id end
  from policies where policies.id = sites.policy_id;
alter table sites
  alter column policy_revision_id set not null,
  add foreign key (customer_id, policy_revision_id) references policy_revisions (customer_id, id),
  add foreign key (customer_id, verified_revision_id) references policy_revisions (customer_id, id);

alter table policy_revisions enable row level security;
create policy tenant on policy_revisions to portreeve_tenant
  using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer());
create policy system on policy_revisions to portreeve_system using (true) with check (true);
grant select, insert on policy_revisions to portreeve_tenant, portreeve_system;   -- a revision never changes

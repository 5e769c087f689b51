-- Gateways are processes of their own, with a lease on the grants they carry.

-- Who runs this installation: the first customer. Gateways belong to nobody else.
alter table customers add column operates_installation boolean not null default false;
update customers set operates_installation = true
  where id = (select id from customers order by created_at, id limit 1);
create unique index customers_operator on customers (operates_installation) where operates_installation;

create table gateways (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  token_hash bytea not null unique,              -- SHA-256
  entry_point text not null,                     -- the host name or address people connect to
  first_port integer not null check (first_port between 1 and 65535),
  last_port integer not null check (last_port between first_port and 65535),
  created_at timestamptz not null default now(),
  last_seen_at timestamptz,
  instance uuid,                                 -- the process that holds it, or held it last
  journal_id uuid,                               -- that process's journal
  fence bigint not null default 0,               -- counts the processes that held it
  lease_until timestamptz,                       -- begins no connection after it
  report_sequence bigint not null default 0,     -- the last report of that process that is recorded
  removed_at timestamptz,                        -- kept for the grants that were opened through it
  restored_at timestamptz                        -- when the database was last found to be an older one than its journal
);

-- Which gateway carries a grant. Only who shows the fence can report it closed; the row goes then.
create table grant_leases (
  grant_id uuid primary key references transient_access on delete cascade,
  customer_id uuid not null references customers,
  gateway_id uuid not null references gateways,
  fence bigint not null,
  until timestamptz not null                     -- the gateway ends it then by itself
);
create index on grant_leases (gateway_id);

-- Where a grant's port is. Those there are stay where they were: on the gateway that the server runs by itself.
insert into gateways (name, token_hash, entry_point, first_port, last_port)
  select 'local', sha256(gen_random_uuid()::text::bytea), 'localhost', 40000, 49999
    from transient_access limit 1;
alter table transient_access add column gateway_id uuid references gateways;
update transient_access set gateway_id = (select id from gateways where name = 'local');
alter table transient_access alter column gateway_id set not null;
alter table transient_access add column sequence bigint generated always as identity;
insert into grant_leases (grant_id, customer_id, gateway_id, fence, until)
  select id, customer_id, gateway_id, 0, expires_at from transient_access where removed_from_gateway_at is null;

-- A port belongs to one grant of its gateway until that has closed its listener.
drop index transient_access_port;
create unique index transient_access_port on transient_access (gateway_id, port)
  where removed_from_gateway_at is null;
drop index transient_access_port_removed_from_gateway_at_idx;
create index on transient_access (gateway_id, port, removed_from_gateway_at);
create index transient_access_on_gateway on transient_access (gateway_id, id)
  where removed_from_gateway_at is null;

-- A gateway and a free port of it: not in use, and not another customer's in the last ten minutes, whose people may
-- still try it. A gateway that is at work goes before one that is not. Guessing is cheap while most ports are free; the
-- list of all is made only when twenty guesses failed. Runs as the owner, because a customer can't see who else holds
-- ports; it answers a gateway and a number and no more.
drop function free_gateway_port(integer, integer);
create function gateway_port_is_free(gateway uuid, wanted integer) returns boolean
  language sql stable security definer set search_path from current
  return not exists (
    select from transient_access held
    where held.gateway_id = gateway and held.port = wanted
      and (held.removed_from_gateway_at is null
           or (held.removed_from_gateway_at > now() - interval '10 minutes'
               and held.customer_id is distinct from portreeve_customer()))
  );
create function free_gateway_port(out gateway uuid, out port integer)
  language plpgsql volatile security definer set search_path from current as $$
declare
  candidate record;
  guess integer;
begin
  for candidate in
    select id, first_port, last_port from gateways where removed_at is null
    order by coalesce(lease_until > now(), false) desc, random()
  loop
    gateway := candidate.id;
    for attempt in 1..20 loop
      guess := candidate.first_port + floor(random() * (candidate.last_port - candidate.first_port + 1))::integer;
      if gateway_port_is_free(candidate.id, guess) then
        port := guess;
        return;
      end if;
    end loop;
    select number into port from generate_series(candidate.first_port, candidate.last_port) as number
      where gateway_port_is_free(candidate.id, number) order by random() limit 1;
    if port is not null then
      return;
    end if;
  end loop;
  gateway := null;
end
$$;

alter table grant_leases enable row level security;
create policy tenant on grant_leases to portreeve_tenant
  using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer());
create policy system on grant_leases to portreeve_system using (true) with check (true);
grant select, insert, update, delete on grant_leases to portreeve_tenant, portreeve_system;
-- Everybody may see where people connect; only the operator adds and removes gateways, and nobody reads a hash.
alter table gateways enable row level security;
create function portreeve_operates() returns boolean
  language sql stable security definer set search_path from current
  return coalesce((select operates_installation from customers where id = portreeve_customer()), false);
create function gateway_grants(gateway uuid) returns integer
  language sql stable security definer set search_path from current
  return (select count(*)::integer from grant_leases where gateway_id = gateway);
create policy tenant_reads on gateways for select to portreeve_tenant using (true);
create policy tenant on gateways to portreeve_tenant
  using (portreeve_operates()) with check (portreeve_operates());
create policy system on gateways to portreeve_system using (true) with check (true);
grant select, insert, update, delete on gateways to portreeve_system;
grant insert, update, delete on gateways to portreeve_tenant;
grant select (id, name, entry_point, first_port, last_port, created_at, last_seen_at, fence, lease_until, restored_at,
              removed_at) on gateways to portreeve_tenant;
grant usage on sequence transient_access_sequence_seq to portreeve_tenant, portreeve_system;
grant select on sequence transient_access_sequence_seq to portreeve_system;

-- Tokens of the operator that could do everything still can.
update api_tokens set scopes = scopes || array['gateways:read', 'gateways:write']
  where customer_id in (select id from customers where operates_installation)
    and scopes @> array['sites:read', 'sites:write', 'policies:read', 'policies:write', 'credentials:read',
                        'credentials:rotate', 'credentials:reveal', 'certificates:read', 'certificates:write',
                        'access:read', 'access:open', 'access:revoke', 'access:open-any', 'audit:read', 'tokens:read',
                        'tokens:write'];

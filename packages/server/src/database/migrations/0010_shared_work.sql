-- Which process works for which sites. Sites are divided into 1,024 buckets; a bucket is leased to one process.

create function portreeve_bucket(id uuid) returns smallint
  language sql immutable strict parallel safe
  -- The first ten bits of a hash: ids may be chosen by whoever restores or imports, hashes spread them all the same.
  return (((get_byte(sha256(uuid_send(id)), 0) << 8) | get_byte(sha256(uuid_send(id)), 1)) >> 6)::smallint;

alter table sites add column bucket smallint not null generated always as (portreeve_bucket(id)) stored;
create index on sites (bucket);

-- When somebody asked for a check; the first one after it is written down even where it finds all as it was.
alter table site_sync add column reconcile_requested_at timestamptz;

create table members (                           -- the processes that share the work, one row each while they live
  id uuid primary key,
  host text not null,                            -- for people
  host_id text,                                  -- boot and process namespace: in which `pid` can be looked up
  pid integer not null,
  application_name text not null,                -- of its database sessions, all of them and no others
  address text,                                  -- host:port of its internal listener
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  until timestamptz not null                     -- its leases end then, unless it renews them before
);

create table bucket_leases (
  bucket smallint primary key check (bucket between 0 and 1023),
  holder uuid,                                   -- members.id; null: free
  epoch bigint not null default 0,               -- grows each time the bucket is taken
  -- Makes `epoch` part of a key, so that taking a bucket waits for transactions that have proved its lease.
  unique (bucket, epoch)
);
insert into bucket_leases (bucket) select generate_series(0, 1023);

-- True when the lease is still the caller's; then nobody takes the bucket until the caller's transaction has ended.
-- For both roles, which may not lock the row themselves.
create function portreeve_prove_lease(of_bucket smallint, of_holder uuid, of_epoch bigint) returns boolean
  language sql security definer set search_path = public, pg_temp as $$
    select exists (
      select from bucket_leases
       where bucket = of_bucket and holder = of_holder and epoch = of_epoch for key share)
$$;
revoke execute on function portreeve_prove_lease from public;
grant execute on function portreeve_prove_lease to portreeve_tenant, portreeve_system;
grant select on members, bucket_leases to portreeve_system;

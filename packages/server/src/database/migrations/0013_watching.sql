-- Routers are listened to instead of read every period, and what that costs their lines is counted.

alter table site_connections
  add column metered boolean not null default false,        -- each byte costs money: asked and read seldom
  add column bytes_sent bigint not null default 0,          -- over TCP, in connections that were logged in
  add column bytes_received bigint not null default 0,
  add column traffic_since timestamptz not null default now();

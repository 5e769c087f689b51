-- Fixes of hardening findings that Portreeve was told to make on a site and keep.
create table site_hardening_fixes (
  customer_id uuid not null references customers,
  site_id uuid not null,
  fix text not null,                             -- the finding's id
  created_at timestamptz not null default now(),
  primary key (site_id, fix),
  foreign key (customer_id, site_id) references sites (customer_id, id) on delete cascade
);

alter table site_hardening_fixes enable row level security;
create policy tenant on site_hardening_fixes to portreeve_tenant
  using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer());
create policy system on site_hardening_fixes to portreeve_system using (true) with check (true);
grant select, insert, update, delete on site_hardening_fixes to portreeve_tenant, portreeve_system;

-- Portreeve's own certificates on routers. Those whose fingerprint was read over a session we trust are known here
-- before api-ssl shows them to anybody: each of them may be what a router answers with.
alter table sites
  add column certificates jsonb not null default '[]',   -- [{name, fingerprint, not_after, issuer}, …]
  add column certificate_request bytea,          -- sealed: a request under way, with the passphrase of its key's file
  add column certificate_number integer not null default 1,  -- grows with every renewal
  -- The certificate is the operator's: it stays, and so does api-ssl, whatever the policy says.
  add column keeps_certificate boolean not null default false;
update sites set keeps_certificate = true where management_transport = 'api-ssl';

-- A customer's own authority, which signs instead of the routers themselves.
create table certificate_authorities (
  customer_id uuid primary key references customers,
  certificate text not null,                     -- PEM
  private_key bytea not null,                    -- sealed
  fingerprint text not null,                     -- SHA-256, lower-case hexadecimal
  subject text not null,
  not_after timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
alter table certificate_authorities enable row level security;
create policy tenant on certificate_authorities to portreeve_tenant
  using (customer_id = portreeve_customer()) with check (customer_id = portreeve_customer());
create policy system on certificate_authorities to portreeve_system using (true) with check (true);
grant select, insert, update, delete on certificate_authorities to portreeve_tenant, portreeve_system;

-- Tokens that could do everything still can.
update api_tokens set scopes = scopes || array['certificates:read', 'certificates:write']
  where scopes @> array['sites:read', 'sites:write', 'policies:read', 'policies:write', 'credentials:read',
                        'credentials:rotate', 'credentials:reveal', 'access:read', 'access:open', 'access:revoke',
                        'access:open-any', 'audit:read', 'tokens:read', 'tokens:write'];

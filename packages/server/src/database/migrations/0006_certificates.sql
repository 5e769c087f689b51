-- Portreeve's own certificates on routers. Those whose fingerprint was read over a session we trust are known here
-- before api-ssl shows them to anybody: each of them may be what a router answers with.
alter table sites
  add column certificates jsonb not null default '[]',   -- [{name, fingerprint, not_after, issuer}, …]
  add column certificate_number integer not null default 1,  -- grows with every renewal
  -- The certificate is the operator's: it stays, and so does api-ssl, whatever the policy says.
  add column keeps_certificate boolean not null default false;
update sites set keeps_certificate = true where management_transport = 'api-ssl';

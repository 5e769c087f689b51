-- What becomes of a change somebody makes on a router by hand.
alter table policy_revisions add column drift text not null default 'repair' check (drift in ('repair', 'report'));

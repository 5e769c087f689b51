-- A change of the way in is delivered behind an entry on the router that undoes it. What is known of it here:
alter table sites
  add column way_in_armed text,           -- the change that was begun and whose end was not seen
  add column way_in_problem text,         -- why a change was undone
  add column way_in_problem_change text;  -- that change; it is not tried again by itself

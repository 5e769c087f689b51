import type { ExposureCheck } from "@portreeve/api-schema";
import type { CheckRow } from "./store.ts";

export function presentCheck(row: CheckRow): ExposureCheck {
  const ports = row.ports as ExposureCheck["ports"];
  return {
    id: row.id,
    site_id: row.site_id,
    checked_at: row.checked_at.toISOString(),
    address: row.address,
    from_address: row.from_address,
    policy: { id: row.policy_id, name: row.policy_name },
    answered: row.answered,
    open_against_policy: ports.filter(({ finding }) => finding === "open_against_policy").length,
    ports,
  };
}

import type { HardeningReport } from "@portreeve/api-schema";
import type { RouterAccess } from "../routers/index.ts";
import { MENUS } from "./checks/index.ts";
import { reportOf } from "./report.ts";
import { readRows } from "./rows.ts";
import type { SiteIntent } from "./service.ts";

/** Look at the live router, by our own login. @throws the errors of `RouterAccess.openForReading` */
export async function readReport(
  access: RouterAccess,
  { siteId, view, enforced }: SiteIntent,
  signal: AbortSignal,
): Promise<HardeningReport> {
  await using session = await access.openForReading(siteId, signal);
  const read = await readRows(session.client, MENUS, signal);
  const now = new Date();
  return reportOf({ read, version: session.version, now, site: view, enforced: new Set(enforced) });
}

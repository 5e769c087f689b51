/** The words of the hardening report. Types alone. */
import type { FindingStatus, ManagementTransport, ServiceName, Severity } from "@portreeve/api-schema";
import type { RouterOsVersion, Row } from "@portreeve/routeros";
import type { StoredService } from "../database/index.ts";
import type { DesiredMenu, Observed } from "../reconcile/types.ts";

/** What a check may know: rows read from the router now, and what Portreeve itself wants of it. */
export interface RouterView {
  /** Rows of a menu, in its order; none of a menu that is only looked at where it is there, and is not. */
  rows(menu: string): readonly Row[];
  /** The same rows, for what takes them all at once. */
  readonly observed: Observed;
  readonly version: RouterOsVersion;
  /** The server's clock. */
  readonly now: Date;
  readonly site: SiteView;
}

/** The site's intent as far as checks speak of it. */
export interface SiteView {
  readonly policyName: string;
  readonly services: Readonly<Record<ServiceName, StoredService>>;
  /** The service Portreeve uses, as RouterOS calls it. */
  readonly managementTransport: ManagementTransport;
  /** Our user on the router. */
  readonly apiUsername: string;
}

/** A row the evaluation rests on, with the values that matter. Router text, raw: it is escaped when it is shown. */
export interface Evidence {
  readonly menu: string;
  readonly values: Readonly<Record<string, string>>;
}

/** What a check says of one router. */
export interface Evaluation {
  readonly status: FindingStatus;
  /** One sentence; router text in it is raw as well. */
  readonly detail: string;
  readonly evidence?: readonly Evidence[];
  /** Why it must not be fixed on this router as it is now, whatever the check's fix says. */
  readonly noFix?: string;
}

export interface Fix {
  /** The rows that mend it; they are planned, delivered and kept like everything else. */
  readonly desired: () => readonly DesiredMenu[];
  /** What else stops working. */
  readonly caution?: string;
  /**
   * A row of somebody else, who may change it back for a reason: it is set once, soon or never, and not kept.
   * Tells from the rows of its menu whether it is done.
   */
  readonly once?: { readonly menu: string; readonly isDone: (rows: readonly Row[]) => boolean };
}

export interface Check {
  /** Kebab-case, for ever. */
  readonly id: string;
  /** What ought to be so. */
  readonly title: string;
  readonly severity: Severity;
  readonly why: string;
  readonly source: { readonly title: string; readonly url: string };
  /** Menus it needs: without one of them there is nothing to evaluate. */
  readonly reads: readonly string[];
  /** Menus it looks at where they are there. */
  readonly mayRead?: readonly string[];
  /** Pure. */
  readonly evaluate: (router: RouterView) => Evaluation;
  /** What Portreeve does about it, or why it does nothing and what to do instead. */
  readonly fix: Fix | string;
}

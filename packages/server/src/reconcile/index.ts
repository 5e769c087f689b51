export { deliver } from "./deliver.ts";
export { describeChange, valuesBefore } from "./describe.ts";
export { isUnknown, messageOf, NeedsAttentionError } from "./errors.ts";
export { observe } from "./observe.ts";
export { plan } from "./plan.ts";
export { type Preview, type PreviewOptions, Reconciler } from "./reconciler.ts";
export type {
  Advance,
  Contributor,
  DesiredMenu,
  DesiredRow,
  Observed,
  Outcome,
  Plan,
  RouterAccess,
  RouterFacts,
  RouterSession,
  Seen,
  SiteRecords,
  SiteSnapshot,
  Step,
} from "./types.ts";

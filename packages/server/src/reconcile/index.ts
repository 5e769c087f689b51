export { describeChange, valuesBefore } from "./describe.ts";
export {
  ChangeUndoneError,
  isUnknown,
  messageOf,
  NeedsAttentionError,
  StepError,
} from "./errors.ts";
export { databaseHandovers } from "./handovers.ts";
export type {
  Answer,
  Confirmation,
  Confirmed,
  Delivery,
  LinkCall,
  MenuRead,
  RouterLink,
  RouterLinks,
  SiteWorkflows,
} from "./link.ts";
export { plan } from "./plan.ts";
export { readsOf } from "./reads.ts";
export { type Preview, type PreviewOptions, Reconciler } from "./reconciler.ts";
export { rollbackTimer, rollbackTimerRead, SCHEDULER, TIMED_NAMES } from "./rollback-timer.ts";
export { matches } from "./rows.ts";
export { type OpenSecret, secretsOf } from "./secrets.ts";
export type {
  Advance,
  Contributor,
  DesiredMenu,
  DesiredRow,
  Intent,
  Observed,
  Outcome,
  Plan,
  RouterFacts,
  RouterNow,
  SecretReference,
  Seen,
  SiteRecords,
  SiteSnapshot,
  Step,
} from "./types.ts";

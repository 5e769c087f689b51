export {
  type AddressSet,
  everybody,
  type Family,
  intersect,
  parseAddresses,
  subtract,
  unite,
} from "./address-set.ts";
export type { Assessment, Change } from "./assess.ts";
export { ASSESSED_MENUS, assess } from "./assess.ts";
export { Budget } from "./budget.ts";
export { type FilterTable, filterTable } from "./filter-table.ts";
export {
  certainLockOut,
  guardManagementPath,
  type ManagementPath,
  type ManagementPathProblem,
} from "./guard.ts";
export type { Packet } from "./matchers.ts";
export { predictPlan } from "./predict-plan.ts";
export { simulate } from "./simulate.ts";
export { type Condition, type Outcome, type RuleVerdict, walk } from "./walk.ts";

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
export { foresee } from "./foresee.ts";
export { certainLockOut, guardWayIn, type WayIn, type WayInProblem } from "./guard.ts";
export type { Packet } from "./matchers.ts";
export { simulate } from "./simulate.ts";
export { type Condition, type Outcome, type Verdict, walk } from "./walk.ts";

export type { Assessment, Change } from "./assess.ts";
export { ASSESSED_MENUS, assess } from "./assess.ts";
export { foresee } from "./foresee.ts";
export { certainLockOut, guardWayIn, type WayIn, type WayInProblem } from "./guard.ts";
export { simulate } from "./simulate.ts";

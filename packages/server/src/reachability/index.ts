export { guardWayIn, type WayIn, type WayInProblem } from "./guard.ts";
export { simulate } from "./simulate.ts";

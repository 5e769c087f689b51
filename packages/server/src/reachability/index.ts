export type { AccessRow, Cell, Source, SourceKind } from "./access-table.ts";
export { sourcesOf } from "./access-table.ts";
export type { Assessment, Change } from "./assess.ts";
export { assess } from "./assess.ts";
export { certainLockOut, guardWayIn, type WayIn, type WayInProblem } from "./guard.ts";
export type { ChainRule } from "./input-chain.ts";
export { simulate } from "./simulate.ts";

export { InternalClient, ProcessUnreachableError } from "./client.ts";
export { InternalListener } from "./listener.ts";
export type { Answer, InternalKeys } from "./wire.ts";

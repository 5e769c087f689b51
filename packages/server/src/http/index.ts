export { buildApp } from "./app.ts";
export { mutate } from "./mutate.ts";
export { noStore } from "./no-store.ts";
export { read } from "./read.ts";
export type { HttpModule } from "./typed-app.ts";

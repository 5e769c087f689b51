export { buildApp } from "./app.ts";
export { buildInternalApp } from "./internal.ts";

export { record } from "./record.ts";
export { auditRoutes } from "./routes.ts";

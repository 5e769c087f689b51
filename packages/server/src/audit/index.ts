export { type Actor, type AuditEntry, record } from "./record.ts";
export { auditRoutes } from "./routes.ts";

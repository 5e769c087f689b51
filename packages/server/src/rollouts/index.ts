export { assignPolicy, insertAssignment, recordVerified } from "./assignments.ts";
export { RolloutEngine } from "./engine.ts";
export { rolloutRoutes } from "./routes.ts";
export { RolloutService } from "./service.ts";

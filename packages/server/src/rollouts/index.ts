export { assignPolicy, insertAssignment, recordVerified } from "./assignments.ts";
export { ROLLOUTS, rolloutTask } from "./engine.ts";
export { rolloutRoutes } from "./routes.ts";
export { RolloutService } from "./service.ts";

export { type Checker, check, type Report } from "./check.ts";
export { exposureRoutes } from "./routes.ts";
export { exposureTask } from "./schedule.ts";
export { type Claimed, ExposureService } from "./service.ts";

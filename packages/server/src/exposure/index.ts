export { exposureRoutes } from "./routes.ts";
export { exposureTask } from "./schedule.ts";
export { ExposureService } from "./service.ts";

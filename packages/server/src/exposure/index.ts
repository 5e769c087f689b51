export { exposureRoutes } from "./routes.ts";
export { ExposureSchedule } from "./schedule.ts";
export { ExposureService } from "./service.ts";

export { transientAccessContributor } from "./contributor.ts";
export { GATEWAY_CHANNEL, GatewayControl } from "./control/control.ts";
export { controlEndpoint, listenForGateway } from "./control/endpoint.ts";
export { gatewayTasks } from "./control/tasks.ts";
export { ensureLocalGateway } from "./gateways/local.ts";
export { gatewayRoutes } from "./gateways/routes.ts";
export { transientAccessRoutes } from "./routes.ts";
export { TransientAccessService } from "./service.ts";
export { ACCESS_CHANNEL } from "./store.ts";

export { apiLinks } from "./api/api-link.ts";
export { RouterLogins } from "./login.ts";
export type { RouterAccess, RouterSession } from "./session.ts";
export { siteWorkflows } from "./workflows/index.ts";
export { endMove, findMove, type Move, startMove } from "./workflows/move-transport.ts";

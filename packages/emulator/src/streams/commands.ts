import type { Features } from "../features.ts";
import type { OwnCommand } from "../menus/menu.ts";
import { ping } from "./ping.ts";
import { monitorTraffic, torch } from "./traffic.ts";

/**
 * Commands that answer rows until they are told to stop, by the menu they are in. The root's `/ping` left the
 * schemas after 7.22 and was seen working on 7.23.2; those of `/tool` and `/interface` are in every dump of 7.
 */
export function streamCommands(
  features: Features,
): Readonly<Record<string, Readonly<Record<string, OwnCommand>>>> {
  if (!features.version7) return { "": { ping } };
  return { "": { ping }, "/tool": { ping, torch }, "/interface": { "monitor-traffic": monitorTraffic } };
}

import { refusals } from "../refusal.ts";
import { boolean, text } from "../values.ts";
import type { MenuFor, MenuHost } from "./menu.ts";

export type DeviceMode = "home" | "basic" | "advanced" | "rose";

/** Of the features device-mode gates those the emulator has. Source: manual, "Scheduler"; `home` prints `fetch: no`. */
type GatedFeature = "scheduler" | "fetch";

export const deviceAllows = (router: MenuHost, _feature: GatedFeature): boolean =>
  !router.menus.has("/system/device-mode") ||
  router.table("/system/device-mode").items[0]?.values.mode !== "home";

/** @throws Refusal in the words seen on devices in `home` mode */
export function requireDevice(router: MenuHost, feature: GatedFeature): void {
  if (!deviceAllows(router, feature)) throw refusals.failure("not allowed by device-mode");
}

/** `update` needs somebody at the device's button; tests have the control handle instead. */
export const deviceMode: MenuFor = () => ({
  path: "/system/device-mode",
  singleton: true,
  kept: true,
  commands: ["print", "getall", "get"],
  fields: {
    mode: { type: text, readOnly: true },
    // RouterOS sets it at a start, when it finds what an intruder leaves behind. It never does here.
    flagged: { type: boolean, readOnly: true },
    scheduler: { type: boolean, readOnly: true },
    fetch: { type: boolean, readOnly: true },
  },
  factory: [{ values: { mode: "advanced" } }],
  computed: (router) => ({
    flagged: "false",
    scheduler: String(deviceAllows(router, "scheduler")),
    fetch: String(deviceAllows(router, "fetch")),
  }),
});

import { formatTime } from "../clock.ts";
import { refusals } from "../refusal.ts";
import { text } from "../values.ts";
import type { MenuFor } from "./menu.ts";

/** The emulator's time zone is UTC, and only the control handle moves its clock. */
export const clock: MenuFor = (features) => ({
  path: "/system/clock",
  singleton: true,
  volatile: true,
  commands: ["print", "getall", "get"],
  fields: Object.fromEntries(
    ["time", "date", "time-zone-autodetect", "time-zone-name", "gmt-offset", "dst-active"].map((name) => [
      name,
      { type: text, readOnly: true },
    ]),
  ),
  factory: [{ values: {} }],
  own: {
    set: {
      arguments: ["time", "date", "time-zone-autodetect", "time-zone-name"],
      policy: ["write"],
      run: () => {
        throw refusals.notEmulated("/system/clock/set");
      },
    },
  },
  computed(router) {
    const now = formatTime(router.clock.now(), features.isoDates);
    return {
      time: now.slice(-8),
      date: now.slice(0, -9),
      "time-zone-autodetect": "false",
      "time-zone-name": "UTC",
      "gmt-offset": "+00:00",
      "dst-active": "false",
    };
  },
});

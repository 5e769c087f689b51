import { formatTime, readDate } from "../clock.ts";
import { refusals } from "../refusal.ts";
import { readSeconds, text } from "../values.ts";
import type { MenuFor, MenuHost } from "./menu.ts";

const DAY_MS = 86_400_000;

/** Date or time of day alone leave the other as it is. */
function set(router: MenuHost, given: Readonly<Record<string, string>>): void {
  for (const name of ["time-zone-autodetect", "time-zone-name"]) {
    if (given[name] !== undefined) throw refusals.notEmulated("another time zone than UTC");
  }
  const now = router.clock.now();
  const date = given.date === undefined ? Math.floor(now / DAY_MS) * DAY_MS : readDate(given.date);
  if (date === undefined || date < 0) throw refusals.invalidValue("date");
  const isTime = given.time === undefined || /^\d{1,2}:\d{2}:\d{2}$/.test(given.time);
  const seconds = given.time === undefined ? (now % DAY_MS) / 1000 : readSeconds(given.time.padStart(8, "0"));
  if (!isTime || seconds === undefined || seconds >= 86_400) throw refusals.invalidValue("time");
  router.clock.set(date + seconds * 1000);
}

/** The emulator's time zone is UTC. */
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
      run: set,
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

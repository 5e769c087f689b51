import { formatSeconds, integer, text } from "../values.ts";
import type { Menu, MenuFor } from "./menu.ts";

const readOnly = { type: text, readOnly: true } as const;

export const identity: MenuFor = () => ({
  path: "/system/identity",
  singleton: true,
  commands: ["print", "getall", "get", "set"],
  fields: { name: { type: text, default: "MikroTik" } },
  factory: [{ values: { name: "MikroTik" } }],
});

/** Figures of a small board; what a board can't know of itself in a process (temperature, sectors) is left out. */
export const resource: MenuFor = () => ({
  path: "/system/resource",
  singleton: true,
  commands: ["print", "getall", "get"],
  fields: Object.fromEntries(
    [
      "uptime",
      "version",
      "build-time",
      "free-memory",
      "total-memory",
      "cpu",
      "cpu-count",
      "cpu-frequency",
      "cpu-load",
      "free-hdd-space",
      "total-hdd-space",
      "architecture-name",
      "board-name",
      "platform",
    ].map((name) => [name, readOnly]),
  ),
  factory: [{ values: {} }],
  computed: (router) => ({
    uptime: formatSeconds(router.uptimeSeconds),
    version: `${router.version} (stable)`,
    "free-memory": "805306368",
    "total-memory": "1073741824",
    cpu: "ARM64",
    "cpu-count": "4",
    "cpu-frequency": "864",
    "cpu-load": "1",
    "free-hdd-space": "100663296",
    "total-hdd-space": "134217728",
    "architecture-name": "arm64",
    "board-name": router.model,
    platform: "MikroTik",
  }),
});

/** Property names and order: a captured reply of RouterOS 7.19.4. */
export const routerboard: MenuFor = () => ({
  path: "/system/routerboard",
  singleton: true,
  commands: ["print", "getall", "get"],
  fields: Object.fromEntries(
    [
      "routerboard",
      "model",
      "serial-number",
      "firmware-type",
      "factory-firmware",
      "current-firmware",
      "upgrade-firmware",
    ].map((name) => [name, readOnly]),
  ),
  factory: [{ values: {} }],
  computed: (router) => ({
    routerboard: "true",
    model: router.model,
    "serial-number": router.serialNumber,
    "firmware-type": "ipq6000",
    "factory-firmware": router.version,
    "current-firmware": router.version,
    "upgrade-firmware": router.version,
  }),
});

/** `/system` itself holds no rows. */
export const system: Menu = {
  path: "/system",
  commands: [],
  fields: {},
  own: {
    reboot: { arguments: [], policy: ["reboot"], run: (router) => router.ports?.restart("reboot") },
    shutdown: { arguments: [], policy: ["reboot"], run: (router) => router.ports?.restart("shutdown") },
  },
};

/** Rules for new passwords; `/user` enforces them. */
export const userSettings: MenuFor = () => ({
  path: "/user/settings",
  singleton: true,
  policy: ["policy"],
  commands: ["print", "getall", "get", "set"],
  fields: {
    "minimum-password-length": { type: integer(0, 4_294_967_295), default: "0" },
    "minimum-categories": { type: integer(0, 4), default: "0" },
  },
  factory: [{ values: { "minimum-password-length": "0", "minimum-categories": "0" } }],
});

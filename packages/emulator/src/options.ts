import type { ListeningByMenu } from "./listening.ts";

/** RouterOS's own names of the rows of `/ip/service`. */
export const SERVICE_NAMES = [
  "telnet",
  "ftp",
  "www",
  "ssh",
  "www-ssl",
  "api",
  "winbox",
  "api-ssl",
  "reverse-proxy",
] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A user of the router at the start, beside the first one. */
export interface StartingUser {
  readonly name: string;
  readonly password: string;
  /** A group of the router: full, write or read. Default full. */
  readonly group?: string;
  /** The one prefix it may log in from; empty for anywhere. */
  readonly address?: string;
}

export interface EmulatorOptions {
  /** Address to bind, 127.0.0.1 by default. The emulator is a test tool; it belongs on loopback. */
  readonly address?: string;
  /** RouterOS version, "x.y" or "x.y.z"; 7.16 by default. A state file has its own, and refuses another. */
  readonly version?: string;
  /** First user, of group full; "admin" with an empty password by default, as a router fresh from the factory. */
  readonly username?: string;
  readonly password?: string;
  /** More users. */
  readonly users?: readonly StartingUser[];
  /** `/system/identity`, "MikroTik" by default. */
  readonly identity?: string;
  /** `/system/routerboard` model and serial number. */
  readonly model?: string;
  readonly serialNumber?: string;
  /** Starting ports; RouterOS's own where none is given, 0 for any free one, which then is the row's port. */
  readonly ports?: Readonly<Partial<Record<ServiceName, number>>>;
  /**
   * Services that listen once their row is enabled; all by default. The others are rows without a socket, until
   * `control.listen`. A process that runs thousands of routers has not enough descriptors for every service.
   */
  readonly listen?: readonly ServiceName[];
  /**
   * Has RouterOS 6 its `ipv6` package? Without it the menus under `/ipv6` are unknown to the router. True by default;
   * RouterOS 7 has no such package and refuses `false`.
   */
  readonly ipv6?: boolean;
  /**
   * JSON file holding the configuration, mode 0600. Written before a change is answered. If it exists the router
   * comes back as it was, and users, identity, ports and hardware given here are not applied.
   */
  readonly stateFile?: string;
  /** What happens to open sessions of a user who is changed, disabled or removed; see `OpenSessions`. */
  readonly openSessions?: OpenSessions;
  /** Menus that can't be listened to, are silent or never rest; by default all work. `control.setListening` changes it. */
  readonly listening?: ListeningByMenu;
  /** How `/system/reboot` answers: `close` drops the connection at once, `done` sends `!done` first. */
  readonly rebootReply?: "close" | "done";
  /** Delay before a refused login is answered, milliseconds. RouterOS delays; how long is not published. Default 0. */
  readonly loginFailureDelayMs?: number;
  /** Serial number, SSH host key, challenges and made-up keys are the same for every run with the same seed. */
  readonly seed?: string;
  /** Sentences `control.transcript()` keeps, 10 000 by default; 0 for none. */
  readonly transcriptLines?: number;
  /** Lines `/log` keeps, 1000 by default. */
  readonly logLines?: number;
  /** Source of challenges; tests give a fixed one. `crypto.randomBytes` by default. */
  readonly randomBytes?: (size: number) => Uint8Array;
}

/**
 * No source says what RouterOS does with open API and SSH sessions of a user who is disabled, removed or put into
 * another group. `keep` (default): they keep the rights they logged in with until they are ended through
 * `/user/active`. `end`: the change ends them.
 */
export type OpenSessions = "keep" | "end";

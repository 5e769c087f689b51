/** Who may log in, and through which services. */
import { atLeast } from "../version.ts";
import type { MenuFacts } from "./facts.ts";

export const userGroup = {
  path: "/user/group",
  key: "name",
  fields: { name: { kind: "text" }, policy: { kind: "policies" } },
  rank: 1,
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

export const user = {
  path: "/user",
  key: "name",
  fields: {
    name: { kind: "text" },
    group: { kind: "text" },
    password: { kind: "secret" },
    address: { kind: "networks" },
    disabled: { kind: "boolean", default: "false" },
    comment: { kind: "text", default: "" },
  },
  readOnly: { expired: { kind: "boolean" }, "last-logged-in": { kind: "datetime" } },
  rank: 2,
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

/** `address` is shown as `available-from` since 7.24; which of both `print` returns is read either way. */
export const ipService = {
  path: "/ip/service",
  key: "name",
  fields: {
    name: { kind: "text" },
    port: { kind: "number" },
    disabled: { kind: "boolean" },
    address: {
      kind: "networks",
      wireName: (version) => (atLeast(version, "7.24") ? "available-from" : "address"),
      alsoReadAs: ["available-from", "address"],
    },
    certificate: { kind: "text" },
    "tls-version": { kind: "text" },
    "max-sessions": { kind: "number", since: "7.16", default: "20" },
  },
  readOnly: { invalid: { kind: "boolean" }, dynamic: { kind: "boolean" } },
  rank: 3,
  fixedRows: true,
  exclusive: "port",
  // From 7.19 every listener and open connection is a dynamic row under the service's name; setting one fails
  // with "this is configured elsewhere".
  skips: "dynamic",
  dynamicSince: "7.19",
  removeCommand: () => undefined,
} as const satisfies MenuFacts;

/** Sessions. Lowest rank: a user has to be gone before its session is ended, or it logs in again. */
export const userActive = {
  path: "/user/active",
  key: "name",
  fields: { name: { kind: "text" }, via: { kind: "text" }, address: { kind: "text" } },
  readOnly: { group: { kind: "text" }, radius: { kind: "boolean" }, "by-romon": { kind: "boolean" } },
  rank: 0,
  // request-logout up to 7.19.x, remove from 7.20; RouterOS 6 has neither.
  removeCommand: (version) => {
    if (!atLeast(version, "7.0")) return undefined;
    return atLeast(version, "7.20") ? "remove" : "request-logout";
  },
} as const satisfies MenuFacts;

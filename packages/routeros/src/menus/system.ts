/** What a router calls itself, what it runs by itself, and its certificates. */
import type { MenuFacts } from "./facts.ts";

export const systemIdentity = {
  path: "/system/identity",
  key: "name",
  fields: { name: { kind: "text" } },
  rank: 0,
  singleton: true,
  removeCommand: () => undefined,
} as const satisfies MenuFacts;

export const systemScript = {
  path: "/system/script",
  key: "name",
  fields: {
    name: { kind: "text" },
    source: { kind: "text" },
    policy: { kind: "list" },
    "dont-require-permissions": { kind: "boolean" },
    comment: { kind: "text", default: "" },
  },
  readOnly: { invalid: { kind: "boolean" }, "run-count": { kind: "number" } },
  rank: 6,
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

/** An interval of `0s` runs once. `start-time` is a time of day or `startup`. */
export const systemScheduler = {
  path: "/system/scheduler",
  key: "name",
  fields: {
    name: { kind: "text" },
    "start-date": { kind: "date" },
    "start-time": { kind: "text" },
    interval: { kind: "duration", default: "0s" },
    "on-event": { kind: "text", default: "" },
    policy: { kind: "list", default: "ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon" },
    disabled: { kind: "boolean" },
    comment: { kind: "text", default: "" },
  },
  readOnly: { owner: { kind: "text" }, "run-count": { kind: "number" }, "next-run": { kind: "text" } },
  rank: 7,
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

/** Contents of large files are not shown: from 60 KiB on, on RouterOS 6 from 4 KiB on. */
export const file = {
  path: "/file",
  key: "name",
  fields: { name: { kind: "text" }, contents: { kind: "text" } },
  readOnly: { type: { kind: "text" }, size: { kind: "text" } },
  rank: 2,
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

/** A row is a template until it is signed, and then can't be changed but for its name and whether it is trusted. */
export const certificate = {
  path: "/certificate",
  key: "name",
  fields: {
    name: { kind: "text" },
    "common-name": { kind: "text" },
    unit: { kind: "text" },
    "subject-alt-name": { kind: "list" },
    "key-usage": { kind: "list" },
    "key-size": { kind: "text", default: "2048" },
    "days-valid": { kind: "number", default: "365" },
    trusted: { kind: "boolean" },
  },
  readOnly: {
    fingerprint: { kind: "text" },
    "serial-number": { kind: "text" },
    issuer: { kind: "text" },
    "private-key": { kind: "boolean" },
    authority: { kind: "boolean" },
    expired: { kind: "boolean" },
    revoked: { kind: "boolean" },
    "invalid-before": { kind: "datetime" },
    "invalid-after": { kind: "datetime" },
    "expires-after": { kind: "duration" },
  },
  unreadable: true, // its key
  alsoRead: [
    "fingerprint",
    "issuer",
    "private-key",
    "expired",
    "invalid-before",
    "invalid-after",
    "expires-after",
  ],
  // After users and services: a certificate that can't be had is no reason to leave them as they are.
  rank: 3,
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

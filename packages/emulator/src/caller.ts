import { refusals } from "./refusal.ts";

/** Rights of a RouterOS user group. */
export type Policy =
  | "read"
  | "write"
  | "policy"
  | "reboot"
  | "test"
  | "sniff"
  | "ftp"
  | "sensitive"
  | "password";

/** Who gives a command, and what its group lets it do. */
export interface Caller {
  /** Its session, where it has one. */
  readonly id?: string;
  /** undefined for the control handle: another admin, not on the wire. */
  readonly username: string | undefined;
  readonly policies: ReadonlySet<string>;
}

/** @throws Refusal when the caller's group lacks one of them */
export function requirePolicies(caller: Caller, policies: readonly Policy[]): void {
  if (!policies.every((policy) => caller.policies.has(policy))) throw refusals.notPermitted();
}

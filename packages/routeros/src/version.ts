/** RouterOS versions: `7.19.4 (stable)` in `/system/resource`, `7.21beta3`, `6.49.17 (long-term)`. */

import { InvalidValueError } from "./errors.ts";

export interface RouterOsVersion {
  readonly major: number;
  readonly minor: number;
  /** 0 when not spelt out: 7.18 is 7.18.0. */
  readonly patch: number;
  /** Stage and number of a version before the release: beta3, rc1. */
  readonly stage: "beta" | "rc" | "release";
  readonly stageNumber: number;
  /** `stable`, `long-term`, `testing`, `development`; undefined when not given. */
  readonly channel: string | undefined;
}

const FORM = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:(beta|rc)(\d{1,3}))?(?: \(([a-z-]+)\))?$/;

/** In order of age within one version number. */
const STAGES: readonly RouterOsVersion["stage"][] = ["beta", "rc", "release"];

/**
 * Read a version as RouterOS prints it.
 * @throws InvalidValueError when the text is no RouterOS version
 */
export function parseVersion(text: string): RouterOsVersion {
  const parts = FORM.exec(text.trim());
  if (!parts) {
    throw new InvalidValueError(`not a RouterOS version: ${JSON.stringify(text.slice(0, 40))}`, {
      operation: "parse version",
    });
  }
  const [, major, minor, patch, stage, stageNumber, channel] = parts;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch ?? 0),
    stage: STAGES.find((known) => known === stage) ?? "release",
    stageNumber: Number(stageNumber ?? 0),
    channel,
  };
}

/** Negative when `a` is older than `b`, positive when newer, 0 when equal; the channel does not count. */
export function compareVersions(a: RouterOsVersion, b: RouterOsVersion): number {
  return (
    a.major - b.major ||
    a.minor - b.minor ||
    a.patch - b.patch ||
    STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage) ||
    a.stageNumber - b.stageNumber
  );
}

/**
 * Whether `version` is `oldest` or newer. A beta or rc is older than its release: 7.18rc1 is not at least 7.18.
 * @throws InvalidValueError when `oldest` is no RouterOS version
 */
export function atLeast(version: RouterOsVersion, oldest: string): boolean {
  return compareVersions(version, parseVersion(oldest)) >= 0;
}

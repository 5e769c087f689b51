/**
 * What is known of RouterOS releases, looked up on 2026-11-26. Keep it current: a report can't know what came later.
 */
import { atLeast, compareVersions, parseVersion, type RouterOsVersion } from "@portreeve/routeros";

interface Release {
  readonly version: string;
  readonly released: string;
  readonly source: string;
}

/** The newest release of the long-term channel, by major version. */
export const LONG_TERM: Readonly<Record<number, Release>> = {
  6: {
    version: "6.49.23",
    released: "2026-10-07",
    source: "https://github.com/elseif/MikroTikPatch/releases/tag/6.49.23", // MikroTik's changelog, quoted
  },
  7: {
    version: "7.24.6",
    released: "2026-10-30",
    source: "https://github.com/elseif/MikroTikPatch/releases/tag/7.24.6",
  },
};

interface Range {
  readonly from: string;
  /** The first version that is mended. */
  readonly before: string;
}

export interface Vulnerability {
  readonly id: string;
  /** What somebody can do with it. */
  readonly what: string;
  readonly affected: readonly Range[];
  /** It is reached through one of these: names of `/ip/service`, or a menu whose `enabled` is true. */
  readonly reachedThrough: readonly string[];
  readonly source: string;
}

/** Vulnerabilities that need no login and are reached through a service that can be seen to be on. */
export const VULNERABILITIES: readonly Vulnerability[] = [
  {
    id: "CVE-2026-84411",
    what: "one request to the web service runs code as root, without a login",
    // Affected before 7.24 (the CVE record); mended in 7.23.8 and 6.49.23 (MikroTik's changelogs).
    affected: [
      { from: "0.0", before: "6.49.23" },
      { from: "7.0", before: "7.23.8" },
      { from: "7.24beta1", before: "7.24" },
    ],
    reachedThrough: ["www", "www-ssl"],
    source: "https://www.cve.org/CVERecord?id=CVE-2026-84411",
  },
  {
    id: "CVE-2026-67277",
    what: "the bandwidth test server shows memory of the kernel and can be stopped, without a login",
    affected: [
      { from: "6.0", before: "6.49.21" },
      { from: "7.0", before: "7.23.4" },
      { from: "7.24", before: "7.24.2" },
    ],
    reachedThrough: ["/tool/bandwidth-server"],
    source: "https://www.cve.org/CVERecord?id=CVE-2026-67277",
  },
];

export function isAffected(version: RouterOsVersion, { affected }: Vulnerability): boolean {
  return affected.some(
    ({ from, before }) => atLeast(version, from) && compareVersions(version, parseVersion(before)) < 0,
  );
}

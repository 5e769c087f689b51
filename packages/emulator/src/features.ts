import { atLeast, parseVersion } from "@portreeve/routeros";

/**
 * First RouterOS version that has a behaviour.
 * Sources: schema dumps of tikoci/restraml (48 versions, 7.9 to 7.24) for menus and arguments; the MikroTik
 * changelog for `!empty` (7.18); the MikroTik API manual for the login of 6.43.
 */
const SINCE = {
  plaintextLogin: "6.43",
  version7: "7.0",
  restApi: "7.1",
  // The manual has both date forms, the exact version of the change isn't published; 7.10 is our choice.
  isoDates: "7.10",
  scriptConvert: "7.12",
  onerror: "7.13",
  fileRead: "7.13",
  fileType: "7.15",
  maxSessions: "7.16",
  inactivity: "7.16",
  importDryRun: "7.16",
  lastModified: "7.16",
  fetchRedirects: "7.18",
  safeMode: "7.18",
  emptySentence: "7.18",
  dynamicServices: "7.19",
  builtinAuthorities: "7.19",
  activeRemove: "7.20",
  // `trusted` and `no-key-export` of /certificate/import: in the tree of 7.20.8, not in that of 7.9.
  importTrusted: "7.20",
  passwordRequired: "7.20",
  trustStores: "7.21",
  reverseProxy: "7.22",
  scriptExit: "7.22",
  // Seen on 7.22.1 and not on 7.20.8: an error in a script says which command and line it was.
  errorLocation: "7.22",
  availableFrom: "7.24",
  schedulerDays: "7.24",
  scriptUtilities: "7.24",
} as const;

/** First version that no longer has it, from the same dumps. */
const UNTIL = {
  serviceUnset: "7.17",
  requestLogout: "7.20",
  // `dude` and `tikapp` are gone by 7.22.3; no dump shows the version between.
  dudePolicy: "7.22",
} as const;

type Feature = keyof typeof SINCE | keyof typeof UNTIL;
export type Features = Readonly<Record<Feature, boolean>>;

/**
 * What a RouterOS version has, as flags.
 * @param version "x.y" or "x.y.z", beta and rc suffixes as RouterOS prints them
 * @throws when the text is no RouterOS version
 */
export function featuresOf(version: string): Features {
  const parsed = parseVersion(version);
  const has = (since: string) => atLeast(parsed, since);
  const entries = [
    ...Object.entries(SINCE).map(([name, since]) => [name, has(since)]),
    ...Object.entries(UNTIL).map(([name, until]) => [name, !has(until)]),
  ];
  // RouterOS 6 has no command to end somebody's session.
  const features = Object.fromEntries(entries) as Record<Feature, boolean>;
  return { ...features, requestLogout: features.requestLogout && features.version7 };
}

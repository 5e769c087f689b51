/** What the demo prints: where things are, and commands that work as they stand. */
import { styleText } from "node:util";
import type { Site } from "@portreeve/api-schema";
import { facts, table } from "../print.ts";

export interface DemoFacts {
  /** Where people open the portal. */
  readonly portal: string;
  /** Where the API answers on this machine. */
  readonly api: string;
  readonly token: string;
  /** The token stands in the data directory. */
  readonly tokenIsKept: boolean;
  readonly dataDir: string;
  readonly note: string | undefined;
  readonly sites: readonly Site[];
}

export function screen({ portal, api, token, tokenIsKept, dataDir, note, sites }: DemoFacts): string {
  const where = tokenIsKept ? `   (demo only: kept in ${dataDir}/demo-token)` : "";
  const [first] = sites;
  if (!first) throw new Error("the demo has no site");
  const grants = `${api}/v1/control-plane/${first.id}/transient-access`;
  const authorization = `-H 'Authorization: Bearer ${token}'`;
  const request = JSON.stringify({
    type: "ssh",
    expire_after_minutes: 60,
    full_access: true,
    allow_rfc1918: false,
  });
  return [
    facts({
      Portal: `${portal}/`,
      API: `${api}/v1   documentation: ${api}/docs`,
      Token: `${token}${where}`,
      Data: `${dataDir}   log: ${dataDir}/demo.log`,
      ...(note === undefined ? {} : { Note: note }),
    }),
    "",
    table(
      ["site", "address", "routeros", "model", "id"],
      sites.map((site) => [site.name, site.address, site.version, site.model, site.id]),
    ),
    "",
    heading(`Open SSH on ${first.name} for an hour, for this machine only. The answer shows the login:`),
    `ACCESS=$(curl -sS -X POST ${grants} \\`,
    `  ${authorization} -H 'Content-Type: application/json' \\`,
    `  -d '${request}'); echo "$ACCESS"`,
    "",
    heading("Log in with the password it shows, try /system identity print, leave with quit:"),
    `field() { sed -E "s/.*\\"$1\\":\\"?([^\\",]*).*/\\1/" <<<"$ACCESS"; }`,
    `ssh -o NoHostAuthenticationForLocalhost=yes -p "$(field port)" "$(field username)"@localhost`,
    "",
    heading(
      "Close the access; an open session ends with it (in another terminal write the id for $(field id)):",
    ),
    `curl -sS -X DELETE ${grants}/"$(field id)" \\`,
    `  ${authorization}`,
    "",
    "Ctrl-C stops everything; the next start continues where this one stopped.",
    "",
  ].join("\n");
}

function heading(text: string): string {
  return styleText("cyan", `# ${text}`);
}

/**
 * What is said to a port, and by what RouterOS is told from others: banners and pages anybody gets. Nobody logs in and
 * no password is sent. What comes back is hostile: it is matched, cut and escaped, never followed. Pure.
 */
import type { ServiceName } from "@portreeve/api-schema";
import { encodeSentence, SentenceDecoder } from "@portreeve/routeros";

export interface Recognition {
  readonly software: "routeros" | "other" | "unknown";
  /** RouterOS's, where the answer tells it. */
  readonly version: string | null;
}

export interface Protocol {
  readonly tls?: true;
  /** What we say first; without it we listen. */
  readonly greeting?: (host: string) => Uint8Array;
  /** Nothing that would tell more is still to come. */
  readonly isComplete: (answer: Buffer) => boolean;
  readonly recognise: (answer: Buffer) => Recognition;
}

const UNKNOWN: Recognition = { software: "unknown", version: null };

interface Marks {
  readonly complete: RegExp;
  readonly routeros: RegExp;
  /** The protocol is spoken, by somebody else. */
  readonly spoken: RegExp;
  /** Its group is RouterOS's version. */
  readonly version?: RegExp;
}

function told({ complete, routeros, spoken, version }: Marks): Pick<Protocol, "isComplete" | "recognise"> {
  return {
    isComplete: (answer) => complete.test(answer.toString("latin1")),
    recognise(answer) {
      const text = answer.toString("latin1");
      if (routeros.test(text)) return { software: "routeros", version: version?.exec(text)?.[1] ?? null };
      return spoken.test(text) ? { software: "other", version: null } : UNKNOWN;
    },
  };
}

/** Source: `SSH-2.0-ROSSSH` in Mozilla's ssh_scan and in Greenbone's gb_mikrotik_router_routeros_ssh_detect; RFC 4253
 *  section 4.2: other lines may stand before the identification. */
const ssh: Protocol = told({
  complete: /^SSH-[^\n]*\n/m,
  routeros: /^SSH-[\d.]+-ROSSSH\s/m,
  spoken: /^SSH-/m,
});

/** Source: `220 MikroTik FTP server (MikroTik 6.30.4) ready`, Greenbone's gb_mikrotik_router_routeros_ftp_detect; the
 *  first word is the router's identity. The same form is reported of 6.49.17 and 7.20.7. */
const ftp: Protocol = told({
  complete: /\n/,
  routeros: /^220 .{0,200} FTP server \(MikroTik [\w.]{1,30}\) ready/,
  spoken: /^220[ -]/,
  version: /\(MikroTik ([\w.]{1,30})\)/,
});

/** Source: `MikroTik v6.34.6 (bugfix)` and `Login:`, Greenbone's gb_mikrotik_router_routeros_telnet_detect. A telnet
 *  server begins with negotiation (RFC 854: IAC, then WILL, WONT, DO or DONT). */
const telnet: Protocol = told({
  complete: /Login: ?$/,
  routeros: /MikroTik v[\w.]{1,30}/,
  spoken: /^\xff[\xfb-\xfe]|login:/i,
  version: /MikroTik v([\w.]{1,30})/,
});

/** Source: title and heading of the page up to 6.x, Greenbone's gb_mikrotik_router_routeros_webui_detect; the login
 *  form and the logo that WebFig looks for, MikroTik's manual, "Branding". */
const web = told({
  complete: /<\/html>/i,
  routeros:
    /RouterOS router configuration page|<title>RouterOS|<h1>RouterOS v|data-defaultuser=|mikrotik_logo\.png/,
  spoken: /^HTTP\/1\.[01] \d{3}/,
  version: /<h1>RouterOS v([\w.]{1,30})</,
});

function httpRequest(host: string): Uint8Array {
  const name = host.includes(":") ? `[${host}]` : host;
  return Buffer.from(`GET / HTTP/1.0\r\nHost: ${name}\r\nUser-Agent: portreeve\r\nConnection: close\r\n\r\n`);
}

/**
 * `/login` without a password asks for a challenge; the answer, whatever it is, comes as a sentence that begins with a
 * reply word. That much is no attempt to log in. Source: MikroTik's manual, "API"; 7.20.8 still answers a challenge,
 * and later commands with `!fatal` `not logged in`.
 */
const api: Protocol = {
  greeting: () => encodeSentence(["/login"]),
  isComplete: (answer) => recogniseApi(answer) !== UNKNOWN,
  recognise: recogniseApi,
};

const REPLY_WORDS = ["!done", "!trap", "!fatal", "!re", "!empty"];
const OTHER: Recognition = { software: "other", version: null };

function recogniseApi(answer: Buffer): Recognition {
  try {
    const [sentence] = new SentenceDecoder().push(answer);
    if (!sentence) return UNKNOWN;
    return REPLY_WORDS.includes(sentence.first) ? { software: "routeros", version: null } : OTHER;
  } catch {
    return OTHER;
  }
}

/** Its client speaks first, in a protocol that is not public, so only that it stays connected can be told. */
const winbox: Protocol = { isComplete: () => false, recognise: () => UNKNOWN };

export const PROTOCOLS: Readonly<Record<ServiceName, Protocol>> = {
  winbox,
  ssh,
  http: { ...web, greeting: httpRequest },
  https: { ...web, greeting: httpRequest, tls: true },
  telnet,
  ftp,
  api,
  api_ssl: { ...api, tls: true },
};

/** The first line of an answer, without telnet's negotiation; for the API, which has no lines, its reply word. */
export function firstLine(service: ServiceName, answer: Buffer): string {
  const text = answer.toString("latin1");
  if (service === "api" || service === "api_ssl") {
    return REPLY_WORDS.find((word) => text.startsWith(String.fromCharCode(word.length) + word)) ?? "";
  }
  const spoken = text.replace(/\xff[\xfb-\xfe][\s\S]/g, "");
  return spoken.split(/[\r\n]+/).find((line) => line.trim() !== "") ?? "";
}

/**
 * What the client can be asked. An option that stands for a field of the API has the field's name, in kebab case, so
 * that the API's messages about a field tell which option to change.
 */
import type { Run } from "./run-verb.ts";

export interface Flag {
  readonly flags: string;
  readonly summary: string;
  readonly required?: boolean;
  /** Default. */
  readonly value?: string;
}

export interface Verb {
  readonly summary: string;
  readonly arguments?: string;
  readonly flags?: readonly Flag[];
}

export interface Noun {
  readonly summary: string;
  readonly verbs: Readonly<Record<string, Verb>>;
  /** The module that carries the verbs out, under the same names. */
  readonly load: () => Promise<Readonly<Record<string, Run>>>;
}

const fleetFile: Flag = {
  flags: "-f, --file <file>",
  summary: "the fleet as YAML, - for standard input",
  required: true,
};
const lockOutReason: Flag = {
  flags: "--lock-out-reason <text>",
  summary: "why the change may end your own access; kept in the audit",
};
const prune: Flag = { flags: "--prune", summary: "policies that the file does not have are deleted" };

/** Verbs that stand without a noun. */
export const ALONE: Readonly<Record<string, Verb & { readonly load: () => Promise<Run> }>> = {
  export: {
    summary: "policies and the sites under them as a YAML file",
    load: async () => (await import("./fleet/index.ts")).exportFleet,
    flags: [{ flags: "-o, --output <file>", summary: "write it there; without it to standard output" }],
  },
  plan: {
    summary: "what applying a fleet file would change; exit code 2 when something would",
    load: async () => (await import("./fleet/index.ts")).planFleet,
    flags: [
      fleetFile,
      prune,
      { flags: "--routers", summary: "and what would change on each router; reads them now" },
    ],
  },
  apply: {
    summary: "change Portreeve to match a fleet file",
    load: async () => (await import("./fleet/index.ts")).applyFleet,
    flags: [fleetFile, prune, lockOutReason, { flags: "--yes", summary: "do not ask first" }],
  },
  probe: {
    arguments: "<host>",
    summary: "check a site's ports from outside; exit code 2 when a port is open against its policy",
    load: async () => (await import("./probe.ts")).probe,
  },
};

const policyFile: Flag = {
  flags: "-f, --file <file>",
  summary: "the policy as JSON, - for standard input",
  required: true,
};
const reveal: Flag = { flags: "--reveal", summary: "show passwords; reading them is audited" };

/** Where a site or policy is named, its id or its name will do. */
export const NOUNS: Readonly<Record<string, Noun>> = {
  sites: {
    summary: "routers under management",
    load: async () => (await import("./sites.ts")).sites,
    verbs: {
      list: {
        summary: "all sites",
        flags: [
          { flags: "--status <status>", summary: "only those pending, online, offline or deleting" },
          { flags: "--policy <policy>", summary: "only those of this policy" },
        ],
      },
      show: { arguments: "<site>", summary: "everything known about one" },
      add: {
        arguments: "<name>",
        summary: "adopt a router; its password is asked for, or read from a file",
        flags: [
          { flags: "--address <address>", summary: "IP address or host name of the router", required: true },
          { flags: "--username <name>", summary: "a login of group full, used once", value: "admin" },
          {
            flags: "--password-file <file>",
            summary: "read its password from a file's first line, - for standard input",
          },
          { flags: "--api-port <port>", summary: "default 8728, or 8729 for api-ssl" },
          { flags: "--management-transport <service>", summary: "api or api-ssl", value: "api" },
          {
            flags: "--tls-fingerprint <sha256>",
            summary: "of the router's certificate; needed with api-ssl",
          },
          { flags: "--metered", summary: "each byte to it costs money: ask and read it seldom" },
        ],
      },
      remove: {
        arguments: "<site>",
        summary: "off-board a router: Portreeve removes what it configured first",
        flags: [{ flags: "--force", summary: "forget it now and leave the router as it is" }],
      },
      plan: {
        arguments: "<site>",
        summary: "what would change on the router now, and who would have access then",
      },
      hardening: {
        arguments: "<site>",
        summary: "the hardening report: score and open findings",
        flags: [{ flags: "--all", summary: "show also what is in order" }],
      },
      reconcile: { arguments: "<site>", summary: "compare and correct the router now" },
      rename: { arguments: "<site> <name>", summary: "give a site another name" },
      metered: { arguments: "<site> <on|off>", summary: "say whether each byte to a router costs money" },
    },
  },
  hardening: {
    summary: "findings of portreeve sites hardening, and fixing them",
    load: async () => (await import("./hardening.ts")).hardening,
    verbs: {
      show: { arguments: "<site> <finding>", summary: "one finding: rows read, why, and what would be done" },
      fix: { arguments: "<site> <findings...>", summary: "fix findings and keep them fixed" },
      stop: { arguments: "<site> <finding>", summary: "stop keeping one; the router stays as it is" },
    },
  },
  policies: {
    summary: "which services routers offer, and to whom",
    load: async () => (await import("./policies.ts")).policies,
    verbs: {
      list: { summary: "all policies" },
      show: { arguments: "<policy>", summary: "one with its services; --json prints what update takes" },
      create: { summary: "add a policy", flags: [policyFile] },
      update: { arguments: "<policy>", summary: "replace a policy", flags: [policyFile, lockOutReason] },
      delete: { arguments: "<policy>", summary: "delete one; its sites fall back to the default policy" },
      attach: {
        arguments: "<policy> <sites...>",
        summary: "move sites under a policy",
        flags: [lockOutReason],
      },
      preview: {
        arguments: "<policy>",
        summary: "what it, or a draft of it, would change on its sites, and who would have access then",
        flags: [
          { ...policyFile, summary: "a draft as JSON, - for standard input", required: false },
          { flags: "--site <sites...>", summary: "only these, attached or not" },
        ],
      },
    },
  },
  rollouts: {
    summary: "policy changes that go to many sites",
    load: async () => (await import("./rollouts.ts")).rollouts,
    verbs: {
      list: {
        summary: "all rollouts, newest first",
        flags: [
          { flags: "--policy <policy>", summary: "only this policy's" },
          { flags: "--state <state>", summary: "only those running, paused, stopped, done, …" },
          { flags: "--limit <number>", summary: "at most this many", value: "50" },
        ],
      },
      show: {
        arguments: "<rollout>",
        summary: "how far one is, what failed, what it waits for; a policy's name means its newest",
      },
      pause: { arguments: "<rollout>", summary: "give the change to no more sites" },
      resume: { arguments: "<rollout>", summary: "continue despite the failures so far" },
      rollback: { arguments: "<rollout>", summary: "take the change back from every site that has it" },
    },
  },
  access: {
    summary: "temporary access to routers",
    load: async () => (await import("./access.ts")).access,
    verbs: {
      list: {
        arguments: "<site>",
        summary: "a site's open access",
        flags: [{ flags: "--all", summary: "ended ones too" }, reveal],
      },
      open: {
        arguments: "<site>",
        summary: "open access and show its login",
        flags: [
          { flags: "--type <service>", summary: "ssh or winbox", value: "ssh" },
          { flags: "--expire-after-minutes <minutes>", summary: "1 to 1440", value: "60" },
          { flags: "--full-access", summary: "may change the router; without it read-only" },
          { flags: "--allow-only-ip <address>", summary: "the address that may connect; default: your own" },
          { flags: "--allow-only-cidr <network>", summary: "or the network that may connect" },
          { flags: "--allow-rfc1918", summary: "private addresses may connect too" },
          { flags: "--reason <text>", summary: "for the audit" },
        ],
      },
      revoke: { arguments: "<site> <id>", summary: "end an access now; its open sessions end too" },
    },
  },
  credentials: {
    summary: "Portreeve's own logins on routers",
    load: async () => (await import("./credentials.ts")).credentials,
    verbs: {
      list: { arguments: "<site>", summary: "current and historical, newest last", flags: [reveal] },
      rotate: { arguments: "<site>", summary: "change the password; the new one is tested by a login first" },
    },
  },
  audit: {
    summary: "who did what",
    load: async () => (await import("./audit.ts")).audit,
    verbs: {
      list: {
        summary: "events, newest first",
        flags: [
          { flags: "--site <site>", summary: "only this site's" },
          { flags: "--action <action>", summary: "only these, for example access.opened" },
          { flags: "--limit <number>", summary: "at most this many", value: "50" },
        ],
      },
    },
  },
  gateways: {
    summary: "where access comes through; for who runs the installation",
    load: async () => (await import("./gateways.ts")).gateways,
    verbs: {
      list: { summary: "all gateways, and whether they are connected" },
      add: {
        arguments: "<name>",
        summary: "register a gateway and show its token, this once; portreeve gateway runs it",
        flags: [
          {
            flags: "--entry-point <host>",
            summary: "the host name or address people connect to",
            required: true,
          },
          { flags: "--first-port <port>", summary: "default 40000" },
          { flags: "--last-port <port>", summary: "default 49999" },
        ],
      },
      remove: { arguments: "<id>", summary: "forget a gateway; its token is refused from now on" },
    },
  },
  tokens: {
    summary: "API tokens",
    load: async () => (await import("./tokens.ts")).tokens,
    verbs: {
      list: { summary: "all tokens, newest first" },
      create: {
        arguments: "<name>",
        summary: "create a token and show it once",
        flags: [
          {
            flags: "--scopes <scopes>",
            summary: "what it may do: all, or scopes separated by commas such as sites:read,policies:read",
            required: true,
          },
          { flags: "--expires-at <time>", summary: "for example 2027-03-01T09:30:00Z; without it never" },
        ],
      },
      revoke: { arguments: "<id>", summary: "end a token now" },
    },
  },
};

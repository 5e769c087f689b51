/** The settings of a gateway on a host of its own. Imports nothing: the command line loads it at every start. */
export interface Setting {
  readonly value: string;
  readonly description: string;
  readonly default?: string;
}

/** Environment name -> what it is; the command line makes its flags of it. */
export const GATEWAY_SETTINGS = {
  PORTREEVE_CONTROL: {
    value: "address",
    description: "the control plane: https://portreeve.example, or unix:/path of its socket on this host",
  },
  PORTREEVE_GATEWAY_TOKEN_FILE: {
    value: "file",
    description:
      "the gateway's token, on the file's first line; or give PORTREEVE_GATEWAY_TOKEN in the environment",
  },
  PORTREEVE_CONTROL_CA_FILE: {
    value: "file",
    description: "certificates (PEM) to trust instead of the system's",
  },
  PORTREEVE_CONTROL_FINGERPRINT: {
    value: "sha256",
    description: "the one certificate of the control plane to accept, whoever signed it",
  },
  PORTREEVE_GATEWAY: {
    value: "address",
    description: "address people connect to; :: takes IPv4 and IPv6",
    default: "0.0.0.0",
  },
  PORTREEVE_GATEWAY_PORTS: {
    value: "first-last",
    description: "ports it may listen on, whatever it is told",
    default: "40000-49999",
  },
  PORTREEVE_STATE_DIR: {
    value: "directory",
    description: "what it remembers; not to be restored from a backup",
    default: "./.portreeve-gateway",
  },
  PORTREEVE_LOG_LEVEL: {
    value: "level",
    description: "debug, info, warn, error or silent",
    default: "info",
  },
} as const satisfies Readonly<Record<string, Setting>>;

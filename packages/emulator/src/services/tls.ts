import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { chainOf, pemOf } from "../certificates.ts";
import type { ServiceConnection } from "../connections.ts";
import type { ServiceName } from "../options.ts";
import type { Router } from "../router.ts";

type Handler = (connection: ServiceConnection) => void;

/** No source shows TLS 1.3 on RouterOS's services. */
const MAX_VERSION = "TLSv1.2";

/**
 * `certificate=none` offers anonymous Diffie-Hellman alone, which TLS 1.3 no longer has. Level 0 because OpenSSL
 * counts it as no security at all: it stops listeners, not a man in the middle.
 */
const ANONYMOUS = {
  ciphers: "ADH-AES256-GCM-SHA384:ADH-AES128-GCM-SHA256:ADH-AES256-SHA256:ADH-AES128-SHA256:@SECLEVEL=0",
  dhparam: "auto",
  maxVersion: MAX_VERSION,
  minVersion: "TLSv1.2",
} as const;

interface Context {
  /** Certificates and TLS version it was made for. */
  readonly of: string;
  readonly context: SecureContext;
}

/** TLS as the service's row says, then the service inside it. */
export function tlsHandler(router: Router, service: ServiceName, serve: Handler): Handler {
  let made: Context | undefined;
  return (connection) => {
    made = contextOf(router, service, made);
    if (!made) {
      connection.socket.destroy();
      return;
    }
    const stream = new TLSSocket(connection.socket, { isServer: true, secureContext: made.context });
    connection.stream = stream;
    stream.on("error", () => stream.destroy());
    stream.once("secure", () => serve(connection));
  };
}

/** @returns undefined when the row names a certificate that has gone; what RouterOS does then is not published */
function contextOf(router: Router, service: ServiceName, made: Context | undefined): Context | undefined {
  const row = router.table("/ip/service").items.find(({ values }) => values.name === service);
  const name = row?.values.certificate ?? "none";
  if (name === "none")
    return made?.of === "none" ? made : { of: "none", context: createSecureContext(ANONYMOUS) };
  const item = router.table("/certificate").items.find(({ values }) => values.name === name);
  const pem = item && pemOf(item);
  if (!item || !pem?.key) return undefined;
  const only12 = row?.values["tls-version"] === "only-1.2";
  const cert = chainOf(router, item);
  const of = `${item.id} ${only12} ${cert}`;
  if (made?.of === of) return made;
  const context = createSecureContext({
    cert,
    key: pem.key,
    maxVersion: MAX_VERSION,
    // TLS 1.0 and 1.1 need the level lowered in OpenSSL 3.
    ...(only12 ? { minVersion: "TLSv1.2" } : { minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }),
  });
  return { of, context };
}

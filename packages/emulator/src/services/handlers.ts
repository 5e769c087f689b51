import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { ApiConnection } from "../api/connection.ts";
import type { ServiceConnection } from "../connections.ts";
import type { Faults } from "../faults.ts";
import type { ServiceName } from "../options.ts";
import type { Router } from "../router.ts";
import { acceptSsh } from "../ssh/server.ts";
import type { Transcript } from "../transcript.ts";

/** Serves one admitted connection until it closes. */
export type Handler = (connection: ServiceConnection) => void;

/**
 * Accepted and held open in silence: WinBox, whose handshake isn't public, and the services the emulator has only a
 * listener for. An admitted peer so differs from a refused one, which is closed at once.
 */
const hold: Handler = ({ socket }) => {
  socket.resume();
};

/**
 * `certificate=none` offers anonymous Diffie-Hellman alone, which TLS 1.3 no longer has. Level 0 because OpenSSL
 * counts it as no security at all: it stops listeners, not a man in the middle.
 */
const anonymous = (): SecureContext =>
  createSecureContext({
    ciphers: "ADH-AES256-GCM-SHA384:ADH-AES128-GCM-SHA256:ADH-AES256-SHA256:ADH-AES128-SHA256:@SECLEVEL=0",
    dhparam: "auto",
    maxVersion: "TLSv1.2",
    minVersion: "TLSv1.2",
  });

/** TLS, then the service inside it. */
function tls(contextFor: () => SecureContext, serve: Handler): Handler {
  return (connection) => {
    const stream = new TLSSocket(connection.socket, { isServer: true, secureContext: contextFor() });
    connection.stream = stream;
    stream.on("error", () => stream.destroy());
    stream.once("secure", () => serve(connection));
  };
}

export function handlersFor(
  router: Router,
  faults: Faults,
  transcript: Transcript,
): Readonly<Record<ServiceName, Handler>> {
  const api: Handler = ({ stream, remoteAddress }) => {
    new ApiConnection(router, faults, transcript, stream as Socket, remoteAddress);
  };
  let none: SecureContext | undefined;
  const context = () => {
    none ??= anonymous();
    return none;
  };
  const sshHandler = acceptSsh(router);
  return {
    telnet: hold,
    ftp: hold,
    www: hold,
    ssh: ({ socket }) => sshHandler(socket),
    "www-ssl": hold,
    api,
    winbox: hold,
    "api-ssl": tls(context, api),
    "reverse-proxy": hold,
  };
}

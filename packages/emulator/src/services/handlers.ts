import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { ApiConnection } from "../api/connection.ts";
import { plainAddress } from "../connections.ts";
import type { Faults } from "../faults.ts";
import type { ServiceName } from "../options.ts";
import type { Router } from "../router.ts";
import { acceptSsh } from "../ssh/server.ts";
import type { Transcript } from "../transcript.ts";

/** Serves one admitted connection until it closes. */
export type Handler = (socket: Socket, address: string) => void;

/**
 * Accepted and held open in silence: WinBox, whose handshake isn't public, and the services the emulator has only a
 * listener for. An admitted peer so differs from a refused one, which is closed at once.
 */
const hold: Handler = (socket) => {
  socket.resume();
};

/**
 * `certificate=none` offers anonymous Diffie-Hellman alone, which TLS 1.3 no longer has. Level 0 because OpenSSL
 * counts it as no security at all: it stops listeners, not a man in the middle.
 */
function anonymousTls(serve: Handler): Handler {
  const server = createServer({
    ciphers: "ADH-AES256-GCM-SHA384:ADH-AES128-GCM-SHA256:ADH-AES256-SHA256:ADH-AES128-SHA256:@SECLEVEL=0",
    dhparam: "auto",
    maxVersion: "TLSv1.2",
    minVersion: "TLSv1.2",
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.on("error", () => socket.destroy());
    serve(socket, plainAddress(socket.remoteAddress));
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return (socket) => {
    server.emit("connection", socket);
  };
}

export function handlersFor(
  router: Router,
  faults: Faults,
  transcript: Transcript,
): Readonly<Record<ServiceName, Handler>> {
  const api: Handler = (socket, address) => {
    new ApiConnection(router, faults, transcript, socket, address);
  };
  return {
    telnet: hold,
    ftp: hold,
    www: hold,
    ssh: acceptSsh(router),
    "www-ssl": hold,
    api,
    winbox: hold,
    "api-ssl": anonymousTls(api),
    "reverse-proxy": hold,
  };
}

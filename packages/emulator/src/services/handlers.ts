import type { Socket } from "node:net";
import { ApiConnection } from "../api/connection.ts";
import type { ServiceConnection } from "../connections.ts";
import type { Machine } from "../machine.ts";
import type { ServiceName } from "../options.ts";
import { acceptSsh } from "../ssh/server.ts";
import type { Transcript } from "../transcript.ts";
import { tlsHandler } from "./tls.ts";

/** Serves one admitted connection until it closes. */
export type Handler = (connection: ServiceConnection) => void;

/**
 * Accepted and held open in silence: WinBox, whose handshake isn't public, and the services the emulator has only a
 * listener for. An admitted peer so differs from a refused one, which is closed at once.
 */
const hold: Handler = ({ stream }) => {
  stream.resume();
};

export function handlersFor(router: Machine, transcript: Transcript): Readonly<Record<ServiceName, Handler>> {
  const api: Handler = ({ stream, remoteAddress }) => {
    new ApiConnection(router, router.faults, transcript, stream as Socket, remoteAddress);
  };
  const sshHandler = acceptSsh(router);
  return {
    telnet: hold,
    ftp: hold,
    www: hold,
    ssh: ({ socket }) => sshHandler(socket),
    "www-ssl": tlsHandler(router, "www-ssl", hold),
    api,
    winbox: hold,
    "api-ssl": tlsHandler(router, "api-ssl", api),
    "reverse-proxy": hold,
  };
}

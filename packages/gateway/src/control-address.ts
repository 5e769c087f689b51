/** Reaching the control plane: a Unix socket on the same host, TCP or TLS elsewhere. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** Of the connection and its TLS handshake together, milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

export type ControlAddress =
  | { readonly path: string }
  | {
      readonly url: string;
      /** Certificates to trust instead of the system's, PEM. */
      readonly ca?: string | undefined;
      /** SHA-256 of the one certificate to accept, hexadecimal: no authority is asked then. */
      readonly fingerprint?: string | undefined;
    };

/**
 * Connect, and know who answers: nothing of ours has been sent when this resolves.
 * @throws the socket's error; the certificate is not one to accept; nobody answered in 5 seconds
 */
export async function connectControl(address: ControlAddress): Promise<Socket> {
  const socket = open(address);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error("the control plane does not answer")), CONNECT_TIMEOUT_MS);
  socket.once("encrypted" in socket ? "secureConnect" : "connect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    if ("url" in address && address.fingerprint !== undefined)
      checkFingerprint(socket as TLSSocket, address.fingerprint);
    return socket;
  } catch (error) {
    socket.on("error", () => {}).destroy();
    throw error;
  } finally {
    clearTimeout(late);
    socket.off("error", reject);
  }
}

function open(address: ControlAddress): Socket {
  if ("path" in address) return connect({ path: address.path });
  const { protocol, hostname, port } = new URL(address.url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (protocol === "http:") return connect({ host, port: Number(port || 80) });
  return connectTls({
    host,
    port: Number(port || 443),
    servername: /^[\d.]+$|:/.test(host) ? "" : host,
    ALPNProtocols: ["http/1.1"],
    ...(address.ca !== undefined && { ca: address.ca }),
    // With a fingerprint the certificate is compared by us, before anything is sent.
    rejectUnauthorized: address.fingerprint === undefined,
  });
}

function checkFingerprint(socket: TLSSocket, expected: string): void {
  const plain = (text: string) => text.replaceAll(":", "").toLowerCase();
  const shown = plain(socket.getPeerCertificate().fingerprint256 ?? "");
  if (shown !== plain(expected))
    throw new Error(`the control plane shows the certificate ${shown}, which is not the one to accept`);
}

import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { PROBLEM_MEDIA_TYPE, type Problem, problemType } from "@portreeve/api-schema";

const BROKEN = {
  status: 400,
  code: "malformed-request",
  title: "The request can't be read",
  detail: "This is not HTTP.",
};
const BY_CODE: Record<string, typeof BROKEN> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: "headers-too-large",
    title: "The headers are too large",
    detail: "The headers of a request may have at most 16 KiB.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: "request-timeout",
    title: "The request took too long",
    detail: "The request did not arrive whole in time.",
  },
};

/** For what never became a request: bytes that are not HTTP, headers without end, a sender that stopped. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Duplex): void {
  // The sender is gone, or an answer is under way already: nothing can be said any more.
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, code, title, detail } = BY_CODE[error.code ?? ""] ?? BROKEN;
  const body = JSON.stringify({ type: problemType(code), title, status, detail, code } satisfies Problem);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

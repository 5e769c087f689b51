import { type IncomingMessage, request as requestHttp, STATUS_CODES } from "node:http";
import { request as requestHttps } from "node:https";
import { bytesText, wordBytes } from "./api/words.ts";
import { type Refusal, refusals } from "./refusal.ts";
import { formatSeconds } from "./values.ts";

/** Bodies beyond this are refused, bytes: they are kept in memory. */
const MAX_BODY = 32 * 1024 * 1024;

export interface FetchRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: string | undefined;
  /** Any certificate is accepted without. */
  readonly checkCertificate: boolean;
  /** Authorities the router trusts, PEM. */
  readonly trusted: readonly string[];
  /** Redirects that are followed. */
  readonly redirects: number;
  readonly idleMs: number | undefined;
  readonly durationMs: number | undefined;
  readonly sourceAddress: string | undefined;
  readonly signal: AbortSignal;
}

/** Sizes are KiB. */
type Progress = Readonly<Record<"downloaded" | "total" | "duration", string>>;

export interface FetchResult {
  readonly body: Buffer;
  /** "name: value" as they came. */
  readonly headers: readonly string[];
  readonly progress: Progress;
  /** Bytes as text of the router. */
  readonly text: (bytes: Uint8Array) => string;
}

/**
 * "A: b,C: d"; a comma inside a value is written `\,`.
 * @returns undefined where a header has no colon
 */
export function parseHeaders(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  if (text === "") return headers;
  for (const field of text.split(/(?<!\\),/)) {
    const header = /^\s*([\w!#$%&'*+.^`|~-]+)\s*:\s*([^\r\n]*)$/.exec(field.replaceAll("\\,", ","));
    if (!header) return undefined;
    headers[header[1] ?? ""] = (header[2] ?? "").trimEnd();
  }
  return headers;
}

/**
 * A real request.
 * @param progress told while the body comes
 * @throws Refusal `failure: Status 404, Not Found` from 400 on, or why there was no answer
 */
export async function fetchUrl(
  request: FetchRequest,
  progress: (progress: Progress) => void,
): Promise<FetchResult> {
  const started = Date.now();
  const limits = request.durationMs === undefined ? [] : [AbortSignal.timeout(request.durationMs)];
  const signal = AbortSignal.any([request.signal, ...limits]);
  const response = await follow(request, signal);
  const code = response.statusCode ?? 0;
  if (code >= 300) {
    response.destroy();
    throw refusals.failure(`Status ${code}, ${response.statusMessage || STATUS_CODES[code] || ""}`);
  }
  const length = Number(response.headers["content-length"] ?? 0);
  const report = (received: number): Progress => ({
    downloaded: String(Math.ceil(received / 1024)),
    total: String(Math.ceil((length || received) / 1024)),
    duration: formatSeconds(Math.max(1, Math.round((Date.now() - started) / 1000))),
  });
  const body = await readBody(response, (received) => progress(report(received)));
  const { rawHeaders } = response;
  const headers = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []));
  return { body, headers, progress: report(body.length), text: bytesText };
}

async function follow(request: FetchRequest, signal: AbortSignal): Promise<IncomingMessage> {
  let { url, method, data } = request;
  for (let left = request.redirects; ; left -= 1) {
    const response = await send({ ...request, url, method, data }, signal);
    const { statusCode = 0, headers } = response;
    const target = headers.location === undefined ? null : URL.parse(headers.location, url.href);
    if (![301, 302, 303, 307, 308].includes(statusCode) || !target || left <= 0) return response;
    response.destroy();
    if (statusCode <= 303 && method !== "head") [method, data] = ["get", undefined];
    if (!/^https?:$/.test(target.protocol))
      throw refusals.notEmulated(`fetch over ${target.protocol.slice(0, -1)}`);
    url = target;
  }
}

function send(request: FetchRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, checkCertificate, trusted } = request;
  const isLoopback = /^(127\.|localhost$)/.test(url.hostname);
  const options = {
    method: request.method.toUpperCase(),
    headers: request.headers,
    agent: false,
    signal,
    // The router's own address is a loopback one; it reaches others as the machine does.
    ...(isLoopback && request.sourceAddress ? { localAddress: request.sourceAddress, family: 4 } : {}),
    ...(checkCertificate ? { ca: [...trusted] } : { rejectUnauthorized: false }),
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const outgoing = send(url, options, resolve);
    outgoing.on("error", (error) => reject(failure(error)));
    if (request.idleMs !== undefined) {
      outgoing.setTimeout(request.idleMs, () => outgoing.destroy(new Error("timeout")));
    }
    outgoing.end(request.data === undefined ? undefined : wordBytes(request.data));
  });
}

function readBody(response: IncomingMessage, received: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on("data", (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > MAX_BODY) response.destroy(new Error(`more than ${MAX_BODY} bytes`));
      else received(size);
    });
    response.on("end", () => resolve(Buffer.concat(chunks)));
    response.on("error", (error) => reject(failure(error)));
  });
}

/** Why there was no answer; RouterOS's words for most of it aren't published. */
function failure(error: Error): Refusal {
  if (error.name === "AbortError") return refusals.interrupted();
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return refusals.failure("connection refused");
  if (error.name === "TimeoutError" || error.message === "timeout") return refusals.failure("timeout");
  return refusals.failure(error.message);
}

/** Requests to a Portreeve; what it refuses comes out in words. */
import type { Problem } from "@portreeve/api-schema";
import { explain, OperatorError } from "../errors.ts";
import { printable } from "../print.ts";

/** A preview waits for the live router; anything slower than this is stuck, milliseconds. */
const TIMEOUT_MS = 60_000;

/** The API refused; the message is its words with one line per wrong field. */
export class ProblemError extends OperatorError {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Api {
  /**
   * @param path below the server's address, query included
   * @returns the JSON answer; undefined where there is none
   * @throws ProblemError the API refused
   * @throws OperatorError the server does not answer
   */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
}

/** @param token undefined: requests go without one, and the API says what that means */
export function connectApi(url: string, token: string | undefined): Api {
  const base = url.replace(/\/+$/, "");
  return {
    async request(method, path, body) {
      const headers = {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      };
      const answer = await reach(base, path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (answer.status === 204) return undefined;
      if (!/^application\/(problem\+)?json\b/.test(answer.headers.get("content-type") ?? "")) {
        const { status, statusText } = answer;
        throw new OperatorError(`the server answered ${status} ${statusText}; is PORTREEVE_URL a Portreeve?`);
      }
      if (!answer.ok) throw new ProblemError(answer.status, problemText(answer.status, text, token));
      return JSON.parse(text) as unknown;
    },
  };
}

/** The token never follows a redirect: it belongs to the address that was given. */
async function reach(base: string, path: string, init: RequestInit): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await fetch(`${base}${path}`, { ...init, redirect: "error", signal });
  } catch (error) {
    throw new OperatorError(`PORTREEVE_URL: ${base} does not answer (${explain(error)})`, { cause: error });
  }
}

function problemText(status: number, text: string, token: string | undefined): string {
  if (status === 401) {
    return token
      ? "PORTREEVE_TOKEN: the server does not accept this token"
      : "PORTREEVE_TOKEN: no token given";
  }
  const { title, detail, errors = {} } = JSON.parse(text) as Problem;
  return [detail || title, ...fieldLines(errors)].map((line) => printable(line)).join("\n");
}

/** `  winbox.port: must be from 1 to 65535`, one line per wrong field. */
export function fieldLines(errors: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(errors).map(([field, messages]) => `  ${field}: ${messages.join("; ")}`);
}

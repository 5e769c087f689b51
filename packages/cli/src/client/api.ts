/** Requests to a Portreeve; what it refuses comes out in words. */
import { randomUUID } from "node:crypto";
import type { Problem } from "@portreeve/api-schema";
import { explain, OperatorError } from "../errors.ts";
import { printable } from "../print.ts";

/** A preview waits for the live router; anything slower than this is stuck, milliseconds. */
const TIMEOUT_MS = 60_000;

/** The API refused; the message is its words with one line per wrong field. */
export class ProblemError extends OperatorError {
  readonly status: number;
  /** What is wrong with each field, by its dotted path. */
  readonly errors: Readonly<Record<string, readonly string[]>>;
  constructor(status: number, message: string, errors: ProblemError["errors"] = {}) {
    super(message);
    this.status = status;
    this.errors = errors;
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
        ...(method === "POST" ? { "idempotency-key": randomUUID() } : {}),
      };
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const send = () => reach(base, path, { method, headers, ...content });
      const answer = await (method === "POST" ? send().catch((error) => sendAgain(error, send)) : send());
      const text = await answer.text();
      if (answer.status === 204) return undefined;
      if (!/^application\/(problem\+)?json\b/.test(answer.headers.get("content-type") ?? "")) {
        const { status, statusText } = answer;
        throw new OperatorError(
          `the server answered ${status} ${statusText}; is PORTREEVE_URL the address of a Portreeve server?`,
        );
      }
      if (!answer.ok) throw refusal(answer.status, text, token);
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

/** A POST whose answer was lost is sent once more: under its key it has its effect once. */
function sendAgain(error: Error, send: () => Promise<Response>): Promise<Response> {
  const isLate = error.cause instanceof Error && error.cause.name === "TimeoutError";
  return isLate ? Promise.reject(error) : send();
}

function refusal(status: number, text: string, token: string | undefined): ProblemError {
  if (status === 401) {
    const what = token ? "the server does not accept this token" : "no token given";
    return new ProblemError(status, `PORTREEVE_TOKEN: ${what}`);
  }
  const { title, detail, errors = {} } = JSON.parse(text) as Problem;
  const lines = [detail || title, ...fieldLines(errors)];
  return new ProblemError(status, lines.map((line) => printable(line)).join("\n"), errors);
}

/** `  winbox.port: must be from 1 to 65535`, one line per wrong field. */
export function fieldLines(errors: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(errors).map(([field, messages]) => `  ${field}: ${messages.join("; ")}`);
}

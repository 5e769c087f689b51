import type { Problem } from "@portreeve/api-schema";
import { expect } from "vitest";

export interface CallOptions {
  body?: unknown;
  /** Another token than the client's; null sends none. */
  token?: string | null;
  headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Exactly as sent. */
  readonly text: string;
  /** Parsed; undefined for an empty body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape and say what they expect
  readonly body: any;
}

/** What a script of an operator has: an address, a token, and JSON. */
export class ApiClient {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** The same server with another token. */
  as(token: string): ApiClient {
    return new ApiClient(this.url, token);
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, token = this.token, headers } = options;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
  }

  get = (path: string, options?: CallOptions) => this.call("GET", path, options);
  post = (path: string, body?: unknown, options?: CallOptions) =>
    this.call("POST", path, { ...options, body });
  put = (path: string, body?: unknown, options?: CallOptions) => this.call("PUT", path, { ...options, body });
  patch = (path: string, body?: unknown, options?: CallOptions) =>
    this.call("PATCH", path, { ...options, body });
  delete = (path: string, options?: CallOptions) => this.call("DELETE", path, options);
}

/** The answer is of this status; its body comes back. */
export function expectStatus(answer: Answer, status: number): Answer["body"] {
  expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} `));
  return answer.body;
}

/** The answer is a problem of RFC 9457 with our fields, of this status and code. */
export function expectProblem(answer: Answer, status: number, code: string): Problem {
  expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} `));
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  const problem = answer.body as Problem;
  expect(problem).toMatchObject({ status, code, type: expect.stringContaining(code) });
  expect(problem.title).not.toBe("");
  expect(problem.detail).not.toBe("");
  return problem;
}

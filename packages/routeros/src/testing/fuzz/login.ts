/** A router's bytes as the answers to both logins. */

import { DecodeError, type Sentence, SentenceDecoder } from "../../codec/index.ts";
import { ProtocolError, RouterOsError } from "../../errors.ts";
import { logIn } from "../../login.ts";
import { Multiplexer } from "../../multiplexer.ts";
import { bytesOf, captured } from "./seeds.ts";
import type { Target } from "./target.ts";

const PASSWORD = "correct horse battery staple";

/** Held: it ends, with a login or an error of ours, and none tells the password, even where the router says it back. */
export const login: Target = {
  seeds: [
    ...captured((command) => command === "/login"),
    bytesOf([["!done", "=ret=ebddd18303a54111e2dea05a92ab46b4"], ["!done"]]),
    bytesOf([["!trap", `=message=no user with ${PASSWORD}`, `=${PASSWORD}=x`], ["!done"]]),
    bytesOf([["!fatal", `not ${PASSWORD}`]]),
  ],
  async check(bytes, random) {
    const legacyLogin = random(2) === 0;
    const router = new Router(bytes);
    try {
      await logIn((words) => router.multiplexer.startUntagged(words), {
        username: "admin",
        password: PASSWORD,
        legacyLogin,
      });
      return "login accepted";
    } catch (error) {
      if (!(error instanceof RouterOsError)) throw error;
      // The legacy login never sends it, so a router has nothing to say back.
      if (!legacyLogin && tells(error)) throw new Error("an error tells the password", { cause: error });
      return `login refused: ${error.code}`;
    }
  },
};

/** Answers each command with the next sentences up to a `!done`, and hangs up when there are no more. */
class Router {
  readonly multiplexer: Multiplexer;
  readonly #sentences: Sentence[];

  constructor(bytes: Buffer) {
    this.#sentences = sentencesOf(bytes);
    const link = { write: () => queueMicrotask(() => this.#answer()), pause: () => {}, resume: () => {} };
    const bounds = { timeoutMs: Number.POSITIVE_INFINITY, maxReplyRows: 50, maxReplyBytes: 10_000 };
    this.multiplexer = new Multiplexer(link, bounds);
  }

  #answer(): void {
    let reason: RouterOsError | undefined;
    while (!reason) {
      const sentence = this.#sentences.shift();
      if (!sentence) break;
      reason = this.multiplexer.receive(sentence);
      if (sentence.first === "!done") return;
    }
    this.multiplexer.failAll(reason);
  }
}

function sentencesOf(bytes: Buffer): Sentence[] {
  try {
    return new SentenceDecoder().push(bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error instanceof DecodeError ? [...error.decoded] : [];
  }
}

function tells(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return `${error.message} ${JSON.stringify(error)}`.includes(PASSWORD) || tells(error.cause);
}

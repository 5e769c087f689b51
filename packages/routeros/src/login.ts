/**
 * The two logins of RouterOS.
 *
 * From 6.43 `/login` carries name and password, and success is `!done` without `=ret=`. Before, `/login` alone
 * is answered with a challenge in `=ret=`, and the answer to it is a digest. Both families still answer a
 * challenge with `!done`, so `!done` with `ret` means: not logged in.
 * Source: MikroTik manual, "API", section on the initial login; captured exchanges of both.
 */

import { createHash } from "node:crypto";
import type { Word } from "./codec/word.ts";
import { LoginError, type LoginRefusal, ProtocolError, TrapError } from "./errors.ts";
import type { Reply } from "./exchange.ts";

export interface Credentials {
  readonly username: string;
  /** May be empty; it is sent all the same, or the router would take the login for a legacy one. */
  readonly password: string;
  /** Speak the login of RouterOS before 6.43. It never sends the password itself. */
  readonly legacyLogin?: boolean;
}

/** What a refusal says, by the text it starts with. Seen on 6.4x to 7.20. */
const REFUSALS: readonly (readonly [text: string, reason: LoginRefusal])[] = [
  ["invalid user name or password", "credentials"],
  ["cannot log in", "credentials"],
  ["std failure: not allowed", "not-allowed"],
];

/**
 * Log in over a fresh connection.
 * @param send sends one command and returns its whole reply
 * @throws LoginError the router refuses
 * @throws ProtocolError a challenge that is none
 */
export async function logIn(
  send: (words: Word[]) => Promise<Reply>,
  credentials: Credentials,
): Promise<void> {
  const { username, password, legacyLogin = false } = credentials;
  try {
    const reply = legacyLogin
      ? await answerChallenge(send, username, password)
      : await send(["/login", `=name=${username}`, `=password=${password}`]);
    if (reply.ret === undefined) return;
  } catch (error) {
    if (error instanceof TrapError) throw new LoginError(refusalOf(error.message), error.message);
    throw error;
  }
  throw new LoginError(
    legacyLogin ? "other" : "legacy-login-only",
    "the router answers with a challenge, so nobody is logged in",
  );
}

async function answerChallenge(
  send: (words: Word[]) => Promise<Reply>,
  username: string,
  password: string,
): Promise<Reply> {
  const { ret } = await send(["/login"]);
  if (ret === undefined || !/^(?:[0-9a-f]{2})+$/i.test(ret)) {
    throw new ProtocolError("the router's login challenge is not hexadecimal", { operation: "login" });
  }
  return send(["/login", `=name=${username}`, `=response=${legacyResponse(password, ret)}`]);
}

/** `00` and md5(zero byte, password, challenge bytes), all hexadecimal. */
function legacyResponse(password: string, challenge: string): string {
  const digest = createHash("md5")
    .update(Uint8Array.of(0))
    .update(password, "utf8")
    .update(Buffer.from(challenge, "hex"))
    .digest("hex");
  return `00${digest}`;
}

function refusalOf(message: string): LoginRefusal {
  return REFUSALS.find(([text]) => message.startsWith(text))?.[1] ?? "other";
}

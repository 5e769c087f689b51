import { createHash } from "node:crypto";
import type { Row } from "@portreeve/routeros";
import { refusals } from "../refusal.ts";
import type { Router } from "../router.ts";
import { type Authenticated, authenticate, type Proof, passwordIs } from "../users.ts";

/** `challenge` is to be sent in `=ret=` and proves nothing yet. */
export type LoginResult = Authenticated | { readonly challenge: Buffer };

const CHALLENGE_BYTES = 16;

/** `00` + md5(0x00, password, challenge) in hexadecimal: the login before 6.43. */
export function challengeResponse(password: string, challenge: Uint8Array): string {
  const hash = createHash("md5").update(Buffer.of(0)).update(password).update(challenge);
  return `00${hash.digest("hex")}`;
}

/**
 * `/login`. From 6.43 on, name and password in one sentence; before, or without a password, a challenge. A response
 * to a challenge is taken before 6.43 alone: whether later versions take one is not known, so it is refused.
 * @throws Refusal
 */
export function login(
  router: Router,
  given: Row,
  address: string,
  challenge: Uint8Array | undefined,
): LoginResult {
  const plaintext = router.features.plaintextLogin;
  const { name = "", password, response } = given;
  if (plaintext && password !== undefined) return enter(router, name, passwordIs(password), address);
  if (response !== undefined) {
    const proof: Proof = (known) =>
      !plaintext && challenge !== undefined && response === challengeResponse(known, challenge);
    return enter(router, name, proof, address);
  }
  return { challenge: Buffer.from(router.randomBytes(CHALLENGE_BYTES)) };
}

function enter(router: Router, username: string, proof: Proof, address: string): Authenticated {
  const result = authenticate(router, { username, proof, address, policy: "api" });
  if (typeof result === "object") return result;
  router.log("system,error,critical", `login failure for user ${username} from ${address} via api`);
  if (result === "not-allowed") throw refusals.notAllowed();
  throw router.features.plaintextLogin ? refusals.badLogin() : refusals.badLoginOld();
}

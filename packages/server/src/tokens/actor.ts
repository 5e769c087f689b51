import type { Actor } from "../audit/index.ts";
import type { Caller } from "../http/index.ts";

/** The caller as an audit event names it. */
export function actorOf(caller: Caller): Actor {
  return { kind: "token", tokenId: caller.tokenId, name: caller.tokenName, address: caller.address };
}

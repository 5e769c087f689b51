import type { Scope } from "@portreeve/api-schema";
import type { Actor } from "../audit/index.ts";

/** Who a token speaks for. */
export interface TokenHolder {
  customerId: string;
  tokenId: string;
  tokenName: string;
  scopes: ReadonlySet<Scope>;
}

/** Who makes this request, and from which address. */
export interface Caller extends TokenHolder {
  address: string;
}

/** The caller as an audit event names it. */
export function actorOf(caller: Caller): Actor {
  return { kind: "token", tokenId: caller.tokenId, name: caller.tokenName, address: caller.address };
}

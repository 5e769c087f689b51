/** Who does something: for the audit, and for what may be done. */
import type { Scope } from "@portreeve/api-schema";
import type { CustomerId, TokenId } from "./ids.ts";

/** Who a token speaks for. */
export interface TokenHolder {
  customerId: CustomerId;
  tokenId: TokenId;
  tokenName: string;
  scopes: ReadonlySet<Scope>;
}

/** Who makes this request, and from which address. */
export interface Caller extends TokenHolder {
  address: string;
}

/** Who did it, as an audit event names it: somebody with a token, or a part of Portreeve by itself. */
export type Actor =
  | { kind: "token"; tokenId: TokenId; name: string; address: string }
  | { kind: "system"; part: string };

export function actorOf(caller: Caller): Actor {
  return { kind: "token", tokenId: caller.tokenId, name: caller.tokenName, address: caller.address };
}

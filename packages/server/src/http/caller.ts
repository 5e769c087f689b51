import type { Scope } from "@portreeve/api-schema";

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

import { z } from "zod";
import { listOf } from "./common.ts";
import { isoTime, uuid } from "./fields.ts";
import { scope } from "./scopes.ts";

export const tokenInput = z
  .strictObject({
    name: z.string().trim().min(1, "must not be empty").max(100, "must be at most 100 characters"),
    scopes: z
      .array(scope)
      .min(1, "must name at least one scope")
      .refine((given) => new Set(given).size === given.length, "must name each scope once"),
    expires_at: z.iso
      .datetime({ offset: true, error: "must be a time such as 2027-03-01T09:30:00Z" })
      .nullable()
      .default(null)
      .describe("When the token expires; null for never."),
  })
  .meta({ id: "TokenInput" });
export type TokenInput = z.infer<typeof tokenInput>;

export const token = z
  .object({
    id: uuid,
    name: z.string(),
    scopes: z.array(scope),
    created_at: isoTime,
    expires_at: isoTime.nullable(),
    last_used_at: isoTime.nullable().describe("Exact to a minute."),
    revoked_at: isoTime.nullable(),
  })
  .meta({ id: "Token" });
export type Token = z.infer<typeof token>;

/** The only answer that ever carries the token itself. */
export const createdToken = token
  .extend({ token: z.string().describe("Shown only once; Portreeve keeps only its SHA-256.") })
  .meta({ id: "CreatedToken" });
export type CreatedToken = z.infer<typeof createdToken>;

export const tokenList = listOf(token).meta({ id: "TokenList" });
export type TokenList = z.infer<typeof tokenList>;

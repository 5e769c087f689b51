/**
 * Ids that can't be mistaken for one another: passing a policy's id where a site's is wanted is a type error.
 * All are UUIDs, as text in lower case.
 *
 * The brand is optional, so plain text is taken: ids arrive as text, in paths, bodies and notifications, and a wrong one
 * of those is found by the database (404). What comes out of the tables is branded (`database/tables.ts`), and that is
 * where two ids of one row are mistaken for each other.
 */
declare const of: unique symbol;
type Id<Noun extends string> = string & { readonly [of]?: Noun };

export type CustomerId = Id<"customer">;
export type SiteId = Id<"site">;
export type PolicyId = Id<"policy">;
/** One content of a policy. */
export type RevisionId = Id<"policy revision">;
export type RolloutId = Id<"rollout">;
/** One transient access. */
export type GrantId = Id<"grant">;
/** An API token, not its text. */
export type TokenId = Id<"token">;

import type { Scope } from "@portreeve/api-schema";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Caller } from "../kernel/actor.ts";

/** The server, validating and serializing by zod schemas. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks. Set on every route below /v1 and on no other. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** The scope the caller's token needs here. */
    scope?: Scope;
    /** Whoever the database can't be asked about any more is known from a recent request: for ending an access. */
    withoutDatabase?: boolean;
    /** Checks who asks by itself: for gateways, which have no customer. */
    ownAuthentication?: boolean;
    /** Not counted against anybody's rate, and logged only at level debug (health checks). */
    unlimited?: boolean;
  }
}

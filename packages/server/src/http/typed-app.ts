import type { Scope } from "@portreeve/api-schema";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Database } from "../database/index.ts";
import type { Caller } from "../kernel/actor.ts";
import type { Vault } from "../vault/index.ts";

/** The server as a module's routes see it: zod schemas give request and answer their types. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/**
 * The routes of one domain. Every route below `/v1` states `config: { scope }`; everything that changes something
 * goes through `mutate`.
 */
export type HttpModule = (app: TypedApp) => void | Promise<void>;

declare module "fastify" {
  interface FastifyInstance {
    /** For `mutate`. */
    mutations: { database: Database; vault: Vault };
  }
  interface FastifyRequest {
    /** Who asks. Set on every route below /v1 and on no other. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** The scope the caller's token needs here. */
    scope?: Scope;
    /** Not counted against anybody's rate, and logged only at level debug (health checks). */
    unlimited?: boolean;
  }
}

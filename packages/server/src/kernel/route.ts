/**
 * A route of the API as a value: what it takes, who may, what it answers, and the one function that does it.
 * Modules collect them (`siteRoutes(sites): Route[]`); `http/mount.ts` puts everything else around them:
 * authentication, the check of the scope, validation, transactions, idempotency, problem answers, OpenAPI.
 */
import type { Scope } from "@portreeve/api-schema";
import type { z } from "zod";
import type { Trx } from "../database/index.ts";
import type { Caller } from "./actor.ts";

export interface RouteInput {
  /** Of the path. What does not parse answers 404, as somebody else's id does. */
  readonly params?: z.ZodObject;
  /** Of the query string. Without it a route takes none. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
}

type Parsed<Input, Part extends string> =
  Input extends Readonly<Record<Part, infer Schema extends z.ZodType>> ? z.output<Schema> : undefined;

/** A request that has passed: its token has the scope, its parts are what the schemas made of them. */
export interface ReadingRequest<Input> {
  readonly caller: Caller;
  readonly params: Parsed<Input, "params">;
  readonly query: Parsed<Input, "query">;
  readonly body: Parsed<Input, "body">;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  /** Sees the caller's customer and no other, and can't write. */
  read<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** A read that leaves an audit event: it resolves only after the event has been committed. */
  readRecorded<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
}

declare const answer: unique symbol;
/** What only `mutate` gives: an answer that was committed together with its effect. */
export interface Committed<T> {
  readonly [answer]: T;
}

export interface ChangingRequest<Input> extends ReadingRequest<Input> {
  /**
   * One transaction of the caller's customer, and the answer only after its commit. The answer is checked against the
   * route's output inside the transaction, so that a mistake there undoes the work. With an `Idempotency-Key` on a
   * POST the effect and the answer happen once.
   * Work may touch the database through `trx` alone: what routers should do is intent, written and notified here.
   * @param afterCommit awaited before the answer, for a caller who will act on it at once; not when the answer is
   *   repeated. Bounded and never failing, because what is committed stands
   */
  mutate<T>(work: (trx: Trx) => Promise<T>, afterCommit?: () => Promise<void>): Promise<Committed<T>>;
}

interface Stated<Input extends RouteInput, Output extends z.ZodType> {
  /** Fastify's form, `/v1/sites/:id`. */
  readonly path: `/v1/${string}`;
  /** The scope the caller's token needs; the same stands in `authorization/routes.ts`. */
  readonly scope: Scope;
  /** The group of the OpenAPI document. */
  readonly tag: string;
  readonly summary: string;
  readonly input?: Input;
  /** Of the answer's body: what it does not name is not shown. None with 204. */
  readonly output?: Output;
  /** Who asks is known from a recent request where the database can't say it: for ending an access, and no more. */
  readonly withoutDatabase?: true;
  /** Of the good answer; 200 unless given. */
  readonly status?: 200 | 201 | 202 | 204;
}

interface Reading<Input, Answer> {
  readonly method: "GET";
  readonly run: (request: ReadingRequest<Input>) => Promise<Answer>;
}

interface Changing<Input, Answer> {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly run: (request: ChangingRequest<Input>) => Promise<Committed<Answer>>;
}

type Definition<Input extends RouteInput, Output extends z.ZodType> = Stated<Input, Output> &
  (Reading<Input, z.output<Output>> | Changing<Input, z.output<Output>>);

/** Any route, its types forgotten. */
export interface Route extends Stated<RouteInput, z.ZodType> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  // A method and not a property: only `http/mount.ts` calls it, with what the route's own schemas made.
  run(request: ChangingRequest<RouteInput>): Promise<unknown>;
}

/** A route below /v1; the types of request and answer follow from its schemas. */
export function route<Input extends RouteInput = Record<never, never>, Output extends z.ZodType = z.ZodVoid>(
  definition: Definition<Input, Output>,
): Route {
  return definition as Route;
}

/** A POST that takes a body and changes nothing: without a transaction to commit, and without idempotency. */
export function readingPost<Input extends RouteInput, Output extends z.ZodType>(
  definition: Stated<Input, Output> & Pick<Reading<Input, z.output<Output>>, "run">,
): Route {
  return { method: "POST", ...definition } as unknown as Route;
}

/** A DELETE that has an effect before the database has, and commits by itself. */
export function endingDelete<Input extends RouteInput>(
  definition: Stated<Input, z.ZodVoid> & { readonly run: (request: ReadingRequest<Input>) => Promise<void> },
): Route {
  return { method: "DELETE", status: 204, ...definition } as unknown as Route;
}

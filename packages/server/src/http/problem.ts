/** The one place that turns an error into an answer. */
import { PROBLEM_MEDIA_TYPE, type Problem, problemType } from "@portreeve/api-schema";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isUnavailable } from "../database/index.ts";
import { DomainError, type ProblemFields } from "../kernel/errors.ts";
import { DatabaseUnavailableError, MalformedBodyError } from "./errors.ts";

/** Fastify's own refusals, by its code. */
const REFUSALS: Record<string, ProblemFields> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: "body-too-large",
    title: "The body is too large",
    detail: "A request body may have at most 1 MB (1 048 576 bytes).",
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: "unsupported-media-type",
    title: "Unsupported media type",
    detail: "Send the body as JSON, with 'Content-Type: application/json'.",
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: "malformed-body",
    title: "The body can't be read",
    detail: "The body is shorter or longer than its Content-Length says.",
  },
};

const UNKNOWN: ProblemFields = {
  status: 500,
  code: "internal-error",
  title: "Something went wrong in Portreeve",
  detail:
    "Your request did not cause this. The server's log has the details, under the id in the X-Request-Id header.",
};

/** The error handler of the whole server. An unexpected error is logged here, once, with its chain of causes. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = asDomainError(error);
  if (!known) request.log.error({ err: error }, "a request failed unexpectedly");
  else if (known.status >= 500) {
    const { code, message: detail, cause } = known;
    request.log.warn({ code, detail, ...(cause ? { err: cause } : {}) }, "a request could not be answered");
  }
  const { status, code, title, message: detail, errors, headers } = known ?? new DomainError(UNKNOWN);
  // Fastify means to close the connection after a body that is too large. A sender still busy with it would then see
  // a reset in place of this answer; Node discards the rest instead, until the time for a request is over.
  if (status === 413) reply.removeHeader("connection");
  const body: Problem = {
    type: problemType(code),
    title,
    status,
    detail,
    code,
    ...(errors ? { errors } : {}),
  };
  return (
    reply
      .code(status)
      .headers({ "cache-control": "no-store", ...headers })
      .type(PROBLEM_MEDIA_TYPE)
      // Text, so that the route's response schema has no say in it.
      .send(JSON.stringify(body))
  );
}

function asDomainError(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error;
  const refusal = REFUSALS[codeOf(error)];
  if (refusal) return new DomainError(refusal, { cause: error });
  if (isUnavailable(error) || lostItsTurn(error)) return new DatabaseUnavailableError({ cause: error });
  return isClientsFault(error) ? new MalformedBodyError("The request can't be read.") : undefined;
}

/** SQLSTATEs after which the same transaction may well pass: serialization failure, deadlock, lock not available,
 *  statement timeout. */
const WORTH_A_RETRY = new Set(["40001", "40P01", "55P03", "57014"]);

/** A transaction gave way to another, or its connection broke between two queries (pg has no code for that). */
function lostItsTurn(error: unknown): boolean {
  if (WORTH_A_RETRY.has(codeOf(error))) return true;
  return error instanceof Error && error.message.startsWith("Client has encountered a connection error");
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** What Fastify or Node mark as the client's (an aborted upload, an undecodable path) is no failure of ours. */
function isClientsFault(error: unknown): boolean {
  if (!(error instanceof Error) || !codeOf(error).startsWith("FST_ERR_")) return false;
  const status = "statusCode" in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 500;
}

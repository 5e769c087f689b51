import type { FastifyReply } from "fastify";

/** For every answer that shows a secret: no cache keeps it. */
export function noStore<Reply extends Pick<FastifyReply, "header">>(reply: Reply): Reply {
  reply.header("cache-control", "no-store");
  return reply;
}

/** Where gateways dial: a WebSocket, on the API's own listener and on a Unix socket for the gateway of this host. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import websocket from "@fastify/websocket";
import { CONTROL_PATH, MAX_FRAME_BYTES, PROTOCOL, parseToControl, type ToGateway } from "@portreeve/gateway";
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import type { Database } from "../../database/index.ts";
import { UnauthenticatedError } from "../../kernel/errors.ts";
import type { GatewayControl } from "./control.ts";

/** A ping is sent this often; a channel on which one was not answered until the next is given up. Milliseconds. */
const HEARTBEAT_MS = 5_000;
/** Bytes a gateway that does not read may leave with us before its channel is ended: some ten thousand grants. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

type Channel = Parameters<websocket.WebsocketHandler>[0];

export interface EndpointOptions {
  readonly control: GatewayControl;
  readonly database: Database;
  readonly log: FastifyBaseLogger;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The gateway whose token came with a request to connect. */
    gatewayId: string;
  }
}

/** Registers the control endpoint. */
export async function controlEndpoint(app: FastifyInstance, options: EndpointOptions): Promise<void> {
  await app.register(websocket, {
    options: {
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered: Set<string>) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    },
  });
  app.decorateRequest("gatewayId", "");
  app.get(
    CONTROL_PATH,
    {
      websocket: true,
      config: { ownAuthentication: true },
      schema: { hide: true },
      preValidation: async (request) => {
        const [, token] = /^Bearer ([\x21-\x7e]+)$/.exec(request.headers.authorization ?? "") ?? [];
        const id = token === undefined ? undefined : await gatewayOf(options.database, token);
        if (id === undefined) throw new UnauthenticatedError();
        request.gatewayId = id;
      },
    },
    (channel, request) => serve(channel, request.gatewayId, options),
  );
}

/** The same on a Unix socket that this user alone can reach. */
export async function listenForGateway(path: string, options: EndpointOptions): Promise<AsyncDisposable> {
  const app = Fastify({ loggerInstance: options.log, logger: false } as object);
  await app.register(async (routes) => controlEndpoint(routes, options));
  await rm(path, { force: true }); // left by a process that was killed
  await app.listen({ path });
  return { [Symbol.asyncDispose]: () => app.close() };
}

async function gatewayOf(database: Database, token: string): Promise<string | undefined> {
  const hash = createHash("sha256").update(token, "utf8").digest();
  const row = await database.asSystem((trx) =>
    trx.selectFrom("gateways").select("id").where("token_hash", "=", hash).executeTakeFirst(),
  );
  return row?.id;
}

function serve(channel: Channel, gatewayId: string, { control, log }: EndpointOptions): void {
  const session = control.attach(gatewayId, {
    send: (message: ToGateway) => {
      if (channel.bufferedAmount > MAX_UNSENT_BYTES) channel.terminate();
      else channel.send(JSON.stringify(message));
    },
    end: (code, reason) => channel.close(code, reason),
  });
  const heartbeat = watch(channel);
  channel.on("message", (data: Buffer, isBinary: boolean) => {
    try {
      if (isBinary) throw new TypeError("a binary frame");
      session.receive(parseToControl(data.toString()));
    } catch (err) {
      log.warn({ err, gateway: gatewayId }, "a gateway sent what is no message");
      channel.close(1008, "not a message of this protocol");
    }
  });
  channel.on("error", (err: Error) => log.warn({ err, gateway: gatewayId }, "a gateway's channel failed"));
  channel.on("close", (code: number) => {
    clearInterval(heartbeat);
    // 1000 is said by a gateway that has closed everything; whatever else ended the channel says nothing of that.
    control.detach(session, code === 1000);
  });
}

function watch(channel: Channel): NodeJS.Timeout {
  let answered = true;
  channel.on("pong", () => {
    answered = true;
  });
  return setInterval(() => {
    if (!answered) return channel.terminate();
    answered = false;
    channel.ping();
  }, HEARTBEAT_MS);
}

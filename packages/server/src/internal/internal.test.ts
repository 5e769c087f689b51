import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NotFoundError } from "../kernel/errors.ts";
import { createLogger } from "../kernel/log.ts";
import {
  type Answer,
  InternalClient,
  type InternalKeys,
  InternalListener,
  ProcessUnreachableError,
} from "./index.ts";

const never = new AbortController().signal;
let resources: AsyncDisposableStack;
beforeEach(() => {
  resources = new AsyncDisposableStack();
});
afterEach(() => resources.disposeAsync());

function keysOf(keys: ReadonlyMap<number, Buffer>): InternalKeys {
  return { newest: Math.max(...keys.keys()), keyOf: (version) => keys.get(version) };
}
const first = randomBytes(32);
const keys = keysOf(new Map([[1, first]]));

async function listen(answers: Record<string, Answer>, with_ = keys): Promise<InternalListener> {
  const log = createLogger("silent");
  return resources.use(await InternalListener.open({ host: "127.0.0.1", keys: with_, answers, log }));
}

function client(with_ = keys): InternalClient {
  return resources.use(new InternalClient(with_));
}

test("a question is answered by the process it was asked of", async () => {
  const { address } = await listen({ double: async (input: { n: number }) => ({ n: input.n * 2 }) });
  expect(await client().ask(address, "double", { n: 21 }, never)).toEqual({ n: 42 });
});

test("an error for the caller arrives whole, any other without its words", async () => {
  const answers = {
    missing: async () => Promise.reject(new NotFoundError("No such thing.")),
    broken: async () => Promise.reject(new Error("select * from secrets")),
  };
  const { address } = await listen(answers);
  const asked = client();
  await expect(asked.ask(address, "missing", {}, never)).rejects.toMatchObject({
    status: 404,
    code: "not-found",
    message: "No such thing.",
  });
  await expect(asked.ask(address, "broken", {}, never)).rejects.toThrow(/could not answer "broken" \(500\)$/);
});

test("whoever holds another key is neither answered nor told anything", async () => {
  let asked = 0;
  const { address } = await listen({ count: async () => ++asked });
  const stranger = client(keysOf(new Map([[1, randomBytes(32)]])));
  await expect(stranger.ask(address, "count", {}, never)).rejects.toBeInstanceOf(ProcessUnreachableError);
  expect(asked).toBe(0);
});

test("a process that still has the older master key alone is understood", async () => {
  const both = keysOf(
    new Map([
      [1, first],
      [2, randomBytes(32)],
    ]),
  );
  const { address } = await listen({ ping: async () => "pong" }, both);
  expect(await client(keys).ask(address, "ping", {}, never)).toBe("pong");
});

test("plain HTTP is not spoken", async () => {
  const { address } = await listen({ ping: async () => "pong" });
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.write("POST /ping HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}");
  let heard = "";
  socket.on("data", (chunk) => (heard += chunk));
  socket.on("error", () => {});
  await once(socket, "close");
  expect(heard).not.toContain("pong");
});

test("who stops waiting ends the work that was begun for it", async () => {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const { address } = await listen({
    wait: async (_input, signal) => {
      begun.resolve();
      signal.addEventListener("abort", () => ended.resolve());
      await ended.promise;
    },
  });
  const stop = new AbortController();
  const asked = client().ask(address, "wait", {}, stop.signal);
  await begun.promise;
  stop.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
  await ended.promise;
});

test("a process that has ended is said to be unreachable", async () => {
  const listener = await listen({});
  const { address } = listener;
  await listener[Symbol.asyncDispose]();
  await expect(client().ask(address, "ping", {}, never)).rejects.toBeInstanceOf(ProcessUnreachableError);
});

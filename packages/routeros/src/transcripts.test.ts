/** Every published exchange with a RouterOS, played back to the real client byte by byte. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RouterClient } from "./client.ts";
import { FatalError, LoginError, type RouterOsError, TrapError } from "./errors.ts";
import type { Reply } from "./exchange.ts";
import { type RawLine, RawPeer } from "./testing/raw-peer.ts";

interface Transcript {
  readonly name: string;
  readonly source: string;
  readonly sent: readonly string[];
  readonly received: readonly (readonly string[])[];
  /** In order of time, `>` from the client; only where more than one command is on its way. */
  readonly dialogue?: readonly (readonly string[])[];
  /** The source stops before the reply does. */
  readonly truncated?: true;
}

const transcripts: readonly Transcript[] = JSON.parse(
  readFileSync(new URL("./testing/transcripts.json", import.meta.url), "utf8"),
);
const named = (name: string): Transcript => {
  const found = transcripts.find((transcript) => transcript.name === name);
  if (!found) throw new Error(`no transcript ${name}`);
  return found;
};

const isLogin = ({ sent }: Transcript): boolean => sent[0] === "/login";
const tagOf = (words: readonly string[]): string | undefined =>
  words.find((word) => word.startsWith(".tag="))?.slice(5);
const withoutTag = (words: readonly string[]): string[] => words.filter((word) => !word.startsWith(".tag="));
const CHALLENGE = "93b438ec9b80057c06dd9fe67d56aa9a";

/** What a sentence says, read as plainly as the manual describes it. */
function attributes(words: readonly string[]): Record<string, string> {
  const pairs = words
    .filter((word) => word.startsWith("="))
    .map((word) => [word.slice(1, word.indexOf("=", 1)), word.slice(word.indexOf("=", 1) + 1)]);
  return Object.fromEntries(pairs);
}

/** Send a captured reply under the tag our client chose, where the capture had its own; else at the end. */
function answer(line: RawLine, captured: readonly string[], tag: string): void {
  const retagged = captured.map((word) => (word.startsWith(".tag=") ? `.tag=${tag}` : word));
  line.send(...(tagOf(captured) === undefined ? [...captured, `.tag=${tag}`] : retagged));
}

const client = (port: number, more: { legacyLogin?: boolean; username?: string; password?: string } = {}) =>
  RouterClient.connect({ host: "127.0.0.1", port, username: "admin", password: "", ...more });

/** Play a command's capture; returns its reply or the error. */
async function exchange({ sent, received }: Transcript): Promise<Reply | RouterOsError> {
  const words = sent[0] === "<any command>" ? ["/system/resource/print"] : withoutTag(sent);
  await using peer = await RawPeer.listen(async (line) => {
    await line.admit();
    const command = await line.command();
    expect(command.words).toEqual(words);
    for (const sentence of received) {
      if (sentence[0] === "!fatal") line.send(...sentence);
      else answer(line, sentence, command.tag);
    }
  });
  const router = await client(peer.port);
  const outcome = await router.run(words).catch((error: RouterOsError) => error);
  await peer.finished();
  router.close();
  return outcome;
}

const plain = transcripts.filter(
  (transcript) => !isLogin(transcript) && !transcript.dialogue && transcript.received.at(-1)?.[0] !== "!re",
);

test.each(plain)("the client understands: $name", async (transcript) => {
  const outcome = await exchange(transcript);
  const of = (reply: string) => transcript.received.filter((words) => words[0] === reply);
  const [trap] = of("!trap");
  const [fatal] = of("!fatal");
  if (trap) {
    expect(outcome).toBeInstanceOf(TrapError);
    const { category, message } = attributes(trap);
    expect(outcome).toMatchObject({
      message,
      category: category === undefined ? undefined : Number(category),
    });
    expect((outcome as TrapError).traps).toEqual(of("!trap").map(attributes));
  } else if (fatal) {
    expect(outcome).toBeInstanceOf(FatalError);
    expect(outcome).toMatchObject({ routerMessage: fatal[1] });
  } else {
    expect(outcome).toEqual({
      rows: of("!re").map(attributes),
      empty: of("!empty").length > 0,
      ...attributes(of("!done")[0] ?? []),
    });
  }
});

test("rows of a command that continues are handed out as they come, until the reader leaves", async () => {
  const transcript = named("interface monitor-traffic, two interfaces");
  await using peer = await RawPeer.listen(async (line) => {
    await line.admit();
    const { words, tag } = await line.command();
    expect(words).toEqual(transcript.sent);
    for (const sentence of transcript.received) answer(line, sentence, tag);
    const cancel = await line.command();
    expect(cancel.words).toEqual(["/cancel", `=tag=${tag}`]);
  });
  const router = await client(peer.port);
  const seen: unknown[] = [];
  for await (const row of router.stream(transcript.sent)) {
    seen.push(row);
    if (seen.length === transcript.received.length) break;
  }
  expect(seen).toEqual(transcript.received.map(attributes));
  await peer.finished();
  router.close();
});

test("commands under several tags, a listener and its cancel do not disturb each other", async () => {
  const { dialogue = [] } = named("simultaneous commands with tags and cancel");
  const tags = new Map<string, string>();
  const replies: Promise<Reply>[] = [];
  const heard: unknown[] = [];
  const stop = new AbortController();
  const asked = dialogue.filter(([direction]) => direction === ">").map((words) => words.slice(1));
  await using peer = await RawPeer.listen(async (line) => {
    await line.admit();
    for (const [direction, ...words] of dialogue) {
      if (direction === ">") {
        const command = await line.command();
        tags.set(tagOf(words) ?? "", command.tag);
        const expected = withoutTag(words).map((word) => word.replace("=tag=2", `=tag=${tags.get("2")}`));
        expect(command.words).toEqual(expected);
        if (words[0] !== "/cancel") next();
      } else answer(line, words, tags.get(tagOf(words) ?? "") ?? "");
    }
  });
  const router = await client(peer.port);
  let listening: Promise<unknown> | undefined;
  /** The client's next step of the dialogue. */
  function next(): void {
    const words = withoutTag(asked.shift() ?? []);
    if (words[0] === "/interface/listen") listening = listen();
    else if (words[0] === "/cancel") void Promise.all(replies).then(() => stop.abort());
    else replies.push(router.run(words));
  }
  async function listen(): Promise<unknown> {
    try {
      for await (const row of router.listen("/interface", { signal: stop.signal })) heard.push(row);
    } catch (error) {
      return error;
    }
    return undefined;
  }
  next();
  await peer.finished();
  const of = (tag: string) =>
    dialogue
      .filter((words) => words[0] === "<" && words[1] === "!re" && tagOf(words) === tag)
      .map(attributes);
  expect((await Promise.all(replies)).map(({ rows }) => rows)).toEqual([[], [], of("5")]);
  expect(await listening).toBe(stop.signal.reason);
  expect(heard).toEqual(of("2"));
  await router.drain();
});

/** Play a login capture from its dialogue; the client's words are the test's to compare. */
async function logIn(name: string, options: Parameters<typeof client>[1]) {
  const transcript = named(name);
  const steps = transcript.dialogue ?? [
    [">", ...transcript.sent],
    ...transcript.received.map((s) => ["<", ...s]),
  ];
  const sent: string[][] = [];
  await using peer = await RawPeer.listen(async (line) => {
    for (const [direction, ...words] of steps) {
      if (direction === ">") sent.push(await line.read());
      else line.send(...words.map((word) => word.replace("<challenge hex>", CHALLENGE)));
    }
  });
  const outcome = await client(peer.port, options).catch((error: RouterOsError) => error);
  if (outcome instanceof RouterClient) outcome.close();
  return { outcome, sent };
}

const LOGINS: Record<string, () => Promise<void>> = {
  "login plaintext, bad credentials": async () => {
    const { outcome, sent } = await logIn("login plaintext, bad credentials", { password: "secret" });
    expect(sent).toEqual([["/login", "=name=admin", "=password=secret"]]);
    expect(outcome).toBeInstanceOf(LoginError);
    expect(outcome).toMatchObject({
      reason: "credentials",
      routerMessage: "invalid user name or password (6)",
    });
  },
  "login post-6.42, success": async () => {
    const { outcome, sent } = await logIn("login post-6.42, success", { password: "<redacted>" });
    expect(sent).toEqual([named("login post-6.42, success").sent]);
    expect(outcome).toBeInstanceOf(RouterClient);
  },
  "login pre-6.43, success": async () => {
    const { outcome, sent } = await logIn("login pre-6.43, success", { legacyLogin: true, password: "pw" });
    expect(sent.map(([command]) => command)).toEqual(["/login", "/login"]);
    expect(sent.flat().join(" ")).not.toContain("password");
    expect(outcome).toBeInstanceOf(RouterClient);
  },
  "login pre-6.43, failure": async () => {
    const { outcome } = await logIn("login pre-6.43, failure", { legacyLogin: true, password: "pw" });
    expect(outcome).toBeInstanceOf(LoginError);
    expect(outcome).toMatchObject({ reason: "credentials", routerMessage: "cannot log in" });
  },
  "legacy login with a checkable challenge (empty password)": () => vector(LEGACY_VECTORS[0]),
  "legacy login, second vector (empty password)": () => vector(LEGACY_VECTORS[1]),
  "7.20.8: login without =password= starts the legacy challenge; then a command": async () => {
    const name = "7.20.8: login without =password= starts the legacy challenge; then a command";
    const { outcome, sent } = await logIn(name, {});
    expect(sent[0]).toEqual(["/login", "=name=admin", "=password="]);
    expect(outcome).toBeInstanceOf(LoginError);
    expect(outcome).toMatchObject({ reason: "legacy-login-only" });
  },
  "login by a user whose group lacks api": async () => {
    const name = "login by a user whose group lacks api";
    const { outcome, sent } = await logIn(name, { username: "<u>", password: "<p>" });
    expect(sent).toEqual([named(name).sent]);
    expect(outcome).toMatchObject({ reason: "not-allowed", routerMessage: "std failure: not allowed (9)" });
  },
};

const LEGACY_VECTORS = [
  "legacy login with a checkable challenge (empty password)",
  "legacy login, second vector (empty password)",
] as const;

async function vector(name: string): Promise<void> {
  const { outcome, sent } = await logIn(name, { legacyLogin: true });
  const asked = named(name).dialogue?.filter(([direction]) => direction === ">");
  expect(sent).toEqual(asked?.map((words) => words.slice(1)));
  expect(outcome).toBeInstanceOf(RouterClient);
}

test.each(Object.entries(LOGINS))("login: %s", (_, play) => play());

test("every published exchange is played", () => {
  const played = [
    ...plain.map(({ name }) => name),
    ...Object.keys(LOGINS),
    "interface monitor-traffic, two interfaces",
    "simultaneous commands with tags and cancel",
  ];
  expect(played.sort()).toEqual(transcripts.map(({ name }) => name).sort());
});

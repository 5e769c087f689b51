import type { Socket } from "node:net";
import { encodeSentence, SentenceDecoder } from "@portreeve/routeros";
import { done, execute, type Outcome, type Reply, refusalReplies } from "../commands/index.ts";
import type { ApiFault, Faults } from "../faults.ts";
import type { MenuHost } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import type { Session } from "../sessions.ts";
import type { Transcript } from "../transcript.ts";
import { PREVENTS, sendFaulty } from "./faulty-reply.ts";
import { login } from "./login.ts";
import { type Request, readRequest, readWords, wordBytes } from "./words.ts";

/** RouterOS limits number and size of sentences before login and doesn't publish the limits; these are ours. */
const BEFORE_LOGIN = { maxSentences: 32, maxSentenceBytes: 16_384 };

/** Time to read a `!fatal` before the connection goes for good. */
const FATAL_LINGER_MS = 1000;

interface Running {
  readonly tag: string | undefined;
  readonly stop: () => void;
}

/**
 * One API connection: from sentences to commands and back. Commands are begun in the order they come, and each has
 * its replies sent before the next is begun; commands that continue (`listen`) run beside those that follow.
 */
export class ApiConnection {
  readonly #router: MenuHost;
  readonly #faults: Faults;
  readonly #socket: Socket;
  readonly #address: string;
  readonly #decoder = new SentenceDecoder();
  readonly #record: ReturnType<Transcript["open"]>;
  #session: Session | undefined;
  #challenge: Uint8Array | undefined;
  #running: Running[] = [];
  #sentencesBeforeLogin = 0;
  #ended = false;
  #last: Promise<void> = Promise.resolve();

  constructor(router: MenuHost, faults: Faults, transcript: Transcript, socket: Socket, address: string) {
    this.#router = router;
    this.#faults = faults;
    this.#socket = socket;
    this.#address = address;
    this.#record = transcript.open();
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.once("close", () => this.#closed());
  }

  #receive(chunk: Buffer): void {
    try {
      for (const sentence of this.#decoder.push(chunk)) {
        const words = readWords(sentence);
        this.#record("in", words);
        this.#last = this.#last
          .then(() => this.#handle(readRequest(words)))
          .catch((error) => this.#fail(error));
      }
      if (!this.#session && this.#decoder.pendingBytes > BEFORE_LOGIN.maxSentenceBytes)
        this.#socket.destroy();
    } catch {
      // Not the API protocol, or a sentence beyond all limits: nothing after it can be understood.
      this.#socket.destroy();
    }
  }

  async #handle(request: Request): Promise<void> {
    if (this.#socket.destroyed || this.#ended) return;
    const fault = this.#faults.takeForCommand(request.command);
    if (fault?.kind === "trap") return this.#send(request.tag, trapReplies(fault));
    if (fault && PREVENTS.includes(fault.kind)) return sendFaulty(this.#socket, Buffer.alloc(0), fault);
    const { replies, follow, ongoing } = await this.#answer(request);
    if (ongoing) return this.#goOn(request.tag, ongoing, fault);
    this.#send(request.tag, replies, fault);
    if (follow) this.#follow(request.tag, follow);
  }

  async #answer(request: Request): Promise<Outcome> {
    if (request.command === "/quit") return this.#fatal("session terminated on request");
    if (request.command === "/login") return this.#login(request);
    if (!this.#session) return this.#fatal("not logged in");
    if (request.command === "/cancel") return this.#cancel(request);
    const { command, attributes, queries } = request;
    return execute(this.#router, this.#session, command, attributes, queries);
  }

  async #login(request: Request): Promise<Outcome> {
    try {
      this.#sentencesBeforeLogin += 1;
      if (this.#sentencesBeforeLogin > BEFORE_LOGIN.maxSentences)
        return this.#fatal("too many commands before login");
      const result = login(this.#router, request.attributes, this.#address, this.#challenge);
      if ("challenge" in result) {
        this.#challenge = result.challenge;
        return { replies: [done({ ret: result.challenge.toString("hex") })] };
      }
      this.#openSession(result);
      return { replies: [done()] };
    } catch (error) {
      this.#challenge = undefined;
      const replies = refusalReplies(error);
      if (this.#router.loginFailureDelayMs > 0) await delay(this.#router.loginFailureDelayMs);
      return { replies };
    }
  }

  /** A second login on the same connection takes the place of the first. */
  #openSession(user: Pick<Session, "username" | "group" | "policies">): void {
    if (this.#session) this.#router.sessions.close(this.#session);
    const end = () => this.#socket.destroy();
    this.#session = this.#router.sessions.open({ ...user, address: this.#address, via: "api", end });
    this.#sentencesBeforeLogin = 0;
  }

  /** `!fatal` carries its reason as a bare word; the connection closes behind it. */
  #fatal(reason: string): Outcome {
    this.#ended = true;
    setImmediate(() => {
      this.#socket.end();
      // A client that doesn't close its side is closed.
      this.#socket.setTimeout(FATAL_LINGER_MS, () => this.#socket.destroy());
    });
    return { replies: [["!fatal", reason]] };
  }

  /** No refusal but a failure of the emulator, such as a state file that can't be written: said where it is run. */
  #fail(error: unknown): void {
    this.#socket.destroy();
    process.emitWarning(error instanceof Error ? error : String(error));
  }

  /** Order as captured: the cancelled command is interrupted, `/cancel` is done, then the cancelled command is done. */
  #cancel(request: Request): Outcome {
    const { tag } = request.attributes;
    const cancelled = this.#running.filter((running) => tag === undefined || running.tag === tag);
    this.#running = this.#running.filter((running) => !cancelled.includes(running));
    for (const running of cancelled) {
      running.stop();
      this.#send(running.tag, refusalReplies(refusals.interrupted()).slice(0, 1));
    }
    setImmediate(() => {
      for (const running of cancelled) this.#send(running.tag, [done()]);
    });
    return { replies: [done()] };
  }

  #follow(tag: string | undefined, follow: NonNullable<Outcome["follow"]>): void {
    this.#running.push({ tag, stop: follow((reply) => this.#send(tag, [reply])) });
  }

  /** Runs beside the commands that follow; what it says after a `/cancel` nobody hears. */
  #goOn(tag: string | undefined, ongoing: NonNullable<Outcome["ongoing"]>, fault?: ApiFault): void {
    const abort = new AbortController();
    const running = { tag, stop: () => abort.abort() };
    this.#running.push(running);
    const emit = (reply: Reply) => {
      if (!abort.signal.aborted) this.#send(tag, [reply]);
    };
    ongoing(emit, abort.signal).then(
      (replies) => {
        this.#running = this.#running.filter((other) => other !== running);
        if (!abort.signal.aborted) this.#send(tag, replies, fault);
      },
      (error) => this.#fail(error),
    );
  }

  #send(tag: string | undefined, replies: readonly Reply[], fault?: ApiFault): void {
    const bytes = replies.map(([first = "", ...rest]) => {
      const words = tag === undefined ? [first, ...rest] : [first, `.tag=${tag}`, ...rest];
      this.#record("out", words);
      return encodeSentence(words.map(wordBytes));
    });
    const reply = Buffer.concat(bytes);
    if (fault) sendFaulty(this.#socket, reply, fault);
    else if (this.#socket.writable) this.#socket.write(reply);
  }

  #closed(): void {
    for (const { stop } of this.#running) stop();
    this.#running = [];
    if (this.#session) this.#router.sessions.close(this.#session);
  }
}

function trapReplies(fault: Extract<ApiFault, { kind: "trap" }>): readonly Reply[] {
  const category = fault.category === undefined ? [] : [`=category=${fault.category}`];
  return [["!trap", ...category, `=message=${fault.message}`], done()];
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());

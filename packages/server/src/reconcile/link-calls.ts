/** The calls of one run to a link: those it has to wait for are written down, and asked again in a later run. */
import { createHash } from "node:crypto";
import { WaitingError } from "./errors.ts";
import type { Handover, Handovers } from "./handovers.ts";
import type { Answer, Confirmation, Confirmed, Delivery, LinkCall, MenuRead, RouterLink } from "./link.ts";
import type { Observed, SiteSnapshot, Step } from "./types.ts";

export class LinkCalls {
  /** Another one where a workflow has changed the way to the router. */
  link: RouterLink;
  readonly #site: SiteSnapshot;
  readonly #handovers: Handovers;
  readonly #signal: AbortSignal;
  #known: readonly Handover[];

  /** @param known the handovers of earlier runs */
  constructor(
    link: RouterLink,
    site: SiteSnapshot,
    handovers: Handovers,
    known: readonly Handover[],
    signal: AbortSignal,
  ) {
    this.link = link;
    this.#site = site;
    this.#handovers = handovers;
    this.#known = known;
    this.#signal = signal;
  }

  /** A delivery of an earlier run whose answer is still awaited. */
  get inFlight(): Delivery | undefined {
    return this.#known.find(({ kind, isAnswered }) => kind === "deliver" && !isAnswered)?.delivery;
  }

  /** Steps that earlier runs, which had to wait, have delivered. */
  get deliveredBefore(): Step[] {
    return this.#known.flatMap(({ delivery, isAnswered }) => (delivery && isAnswered ? delivery.steps : []));
  }

  /** @throws WaitingError, as every call here */
  observe(reads: readonly MenuRead[]): Promise<Observed> {
    return this.#ask("observe", reads, undefined, (call) => this.link.observe(reads, call));
  }

  async deliver(delivery: Delivery, armed?: LinkCall["armed"]): Promise<void> {
    await this.#ask("deliver", delivery, delivery, (call) => this.link.deliver(delivery, { ...call, armed }));
  }

  confirm(confirmation: Confirmation): Promise<Confirmed> {
    return this.#ask("confirm", confirmation, undefined, (call) => this.link.confirm(confirmation, call));
  }

  /** The run has come to its end: what was observed and delivered on the way is of no more use. */
  async end(): Promise<void> {
    if (this.#known.length === 0) return;
    this.#known = [];
    await this.#handovers.clear(this.#site.id);
  }

  async #ask<T>(
    kind: Handover["kind"],
    request: unknown,
    delivery: Delivery | undefined,
    ask: (call: LinkCall) => Promise<Answer<T>>,
  ): Promise<T> {
    const digest = createHash("sha256")
      .update(JSON.stringify([kind, request]))
      .digest("hex");
    // What a confirmation told holds until the next delivery, in as many runs as it takes to get there.
    const open = this.#known.find(
      (handover) => handover.digest === digest && !(handover.isAnswered && kind === "deliver"),
    );
    let answer: Answer<T>;
    try {
      answer = await ask({ signal: this.#signal, resume: open?.wakeKey });
    } catch (error) {
      if (open && !this.#signal.aborted) await this.end(); // it will not be answered otherwise
      throw error;
    }
    if (answer.state === "waiting") {
      const { until, wakeKey } = answer;
      if (wakeKey !== open?.wakeKey) {
        await this.#handovers.store(this.#site, {
          kind,
          digest,
          delivery,
          wakeKey,
          until,
          isAnswered: false,
        });
      }
      throw new WaitingError(answer);
    }
    if (open && !open.isAnswered && kind !== "observe") await this.#answered(digest);
    return answer.result;
  }

  async #answered(digest: string): Promise<void> {
    await this.#handovers.answered(this.#site.id, digest);
    this.#known = this.#known
      .filter((handover) => handover.kind === "deliver" || handover.digest === digest)
      .map((handover) => (handover.digest === digest ? { ...handover, isAnswered: true } : handover));
  }
}

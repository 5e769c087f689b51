/**
 * A router that nobody can reach: it fetches its work, carries it out by itself, and reports. The router is an
 * emulated one; what would be the device-facing endpoints is a map of jobs here.
 */
import { randomUUID } from "node:crypto";
import type { Emulator } from "@portreeve/emulator";
import { parseVersion, type Row, type Script, script } from "@portreeve/routeros";
import { checkLease } from "../../database/index.ts";
import { StepError } from "../../reconcile/errors.ts";
import type {
  Answer,
  Confirmation,
  Confirmed,
  Delivery,
  LinkCall,
  MenuRead,
  RouterLink,
  RouterLinks,
  Waiting,
} from "../../reconcile/link.ts";
import { confirmScript, planScript } from "../../reconcile/plan-script.ts";
import type { Observed, RouterNow } from "../../reconcile/types.ts";

/** Longer than over the API: between a change and its proof lies a poll. */
export const ROLLBACK_SECONDS = 600;
const ANSWER_WITHIN_MS = 20 * 60_000;

const ARMED_AND_DELIVERED = script`:log info ("report " . $armed . " " . $delivered)`;
const STANDS = script`:log info ("report " . $stands)`;

interface Job {
  readonly work: (router: Emulator) => Promise<unknown>;
  result?: unknown;
}

export class PollingRouter {
  readonly router: Emulator;
  /** What was handed over, in order; a job that has been carried out is not again. */
  readonly handedOver: string[] = [];
  readonly #jobs = new Map<string, Job>();
  readonly #now: () => Date;

  constructor(router: Emulator, now: () => Date) {
    this.router = router;
    this.#now = now;
  }

  /** The router asks for work, does it, and reports. @returns how much there was */
  async poll(): Promise<number> {
    const waiting = [...this.#jobs.values()].filter((job) => !("result" in job));
    for (const job of waiting) job.result = await job.work(this.router);
    return waiting.length;
  }

  /** The answer to what was handed over under this key, or a new job. */
  answer(kind: string, resume: string | undefined, work: Job["work"]): { result: unknown } | Waiting {
    const known = resume === undefined ? undefined : this.#jobs.get(resume);
    if (known && "result" in known) return { result: known.result };
    const wakeKey = known && resume !== undefined ? resume : randomUUID();
    if (!known) {
      this.#jobs.set(wakeKey, { work });
      this.handedOver.push(kind);
    }
    return { state: "waiting", until: new Date(this.#now().getTime() + ANSWER_WITHIN_MS), wakeKey };
  }
}

/** The script link as it will be, without the network in between. */
export function pollingLinks(polling: PollingRouter): RouterLinks {
  const open = async () => new PollingLink(polling);
  return { open, openForReading: open };
}

class PollingLink implements RouterLink {
  readonly router: RouterNow;
  readonly #polling: PollingRouter;

  constructor(polling: PollingRouter) {
    this.#polling = polling;
    const version = parseVersion(polling.router.version);
    this.router = { version, managementAddress: "127.0.0.1", service: "api" };
  }

  async observe(reads: readonly MenuRead[], { resume }: LinkCall): Promise<Answer<Observed>> {
    const answer = this.#polling.answer("observe", resume, async (router) => observed(router, reads));
    return "state" in answer ? answer : { state: "done", result: answer.result as Observed };
  }

  async deliver(delivery: Delivery, { resume, armed }: LinkCall): Promise<Answer<undefined>> {
    if (resume === undefined) {
      checkLease();
      await armed?.();
    }
    const text = planScript(delivery, { report: ARMED_AND_DELIVERED, rollbackSeconds: ROLLBACK_SECONDS });
    const answer = this.#polling.answer("deliver", resume, (router) => run(router, text));
    if ("state" in answer) return answer;
    const [, isArmed, delivered] = String(answer.result).split(" ");
    const refused = delivery.steps[Number(delivered)];
    if (isArmed !== "true" || refused) {
      throw new StepError(refused ?? (delivery.steps[0] as never), new Error("the router refused it"));
    }
    return { state: "done", result: undefined };
  }

  async confirm({ rollback }: Confirmation, { resume }: LinkCall): Promise<Answer<Confirmed>> {
    if (!rollback) return { state: "done", result: { stands: true } }; // each poll is a connection of its own
    const answer = this.#polling.answer("confirm", resume, (router) => run(router, confirmScript(STANDS)));
    if ("state" in answer) return answer;
    return { state: "done", result: { stands: answer.result === "report true" } };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** By the router's own scheduler, once. @returns what it reported */
async function run({ control }: Emulator, { text }: Script): Promise<string | undefined> {
  const before = control.rows("/log").length;
  await control.addRow("/system/scheduler", { name: "poll", interval: "1s", "on-event": text });
  await control.advanceClock(1_000);
  await control.removeRow("/system/scheduler", "poll");
  const lines = control.rows("/log").slice(before);
  return lines.findLast(({ message = "" }) => message.startsWith("report "))?.message;
}

function observed({ control }: Emulator, reads: readonly MenuRead[]): Observed {
  return new Map(reads.map(({ menu, prints }) => [menu, control.rows(menu).filter(shownBy(prints))]));
}

/** Queries here are one equality, or several of which one holds. */
function shownBy(prints: MenuRead["prints"]): (row: Row) => boolean {
  const holds = (row: Row, query: string) => {
    const [, name = "", text] = /^\?=?([^=]+)=(.*)$/.exec(query) ?? [];
    return row[name] === text;
  };
  return (row) =>
    prints.some(({ queries }) => queries.length === 0 || queries.some((query) => holds(row, query)));
}

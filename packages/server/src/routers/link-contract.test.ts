/** What every link promises, whichever way it takes to the router: at once over the API, or minutes later by a script. */
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { firewallFilter, parseVersion, RouterClient, type Row, userGroup } from "@portreeve/routeros";
import { describe, expect, test } from "vitest";
import { holding, type Lease } from "../database/leases/index.ts";
import { StepError } from "../reconcile/errors.ts";
import type { Answer, RouterLink, RouterLinks } from "../reconcile/link.ts";
import { plan } from "../reconcile/plan.ts";
import { readsOf } from "../reconcile/reads.ts";
import { rollbackTimerRead } from "../reconcile/rollback-timer.ts";
import type { DesiredMenu, Step } from "../reconcile/types.ts";
import { apiLinks } from "./index.ts";
import { PollingRouter, pollingLinks } from "./testing/polling-router.fixture.ts";
import { ConnectionWatch } from "./watch/connection-watch.ts";

const SIGNAL = new AbortController().signal;
/** The lease of a run whose site is another process's by now. */
const ENDED: Lease = {
  bucket: 0,
  holder: "another",
  epoch: "1",
  lost: SIGNAL,
  check: () => {
    throw new Error("the lease has ended");
  },
  [Symbol.dispose]: () => {},
};
const LOGIN = { username: "admin", password: "canary" };
/** Longer than the rollback timer of either link. */
const TOO_LATE_MS = 700_000;

interface Way {
  readonly links: RouterLinks;
  /** What has to happen until an answer comes. */
  readonly passTime: () => Promise<unknown>;
}

const WAYS: Record<string, (router: Emulator) => Way> = {
  "over the API": (router) => ({ links: apiWay(router), passTime: async () => {} }),
  "by a script": (router) => {
    const polling = new PollingRouter(router, () => new Date());
    const passTime = async () => {
      await router.control.advanceClock(2 * 60_000);
      await polling.poll();
    };
    return { links: pollingLinks(polling), passTime };
  },
};

describe.each(Object.keys(WAYS))("%s", (name) => {
  describe.each(["6.49", "7.9", "7.18", "7.24"])("RouterOS %s", (version) => {
    async function open() {
      const router = await startRouter(version);
      const way = (WAYS[name] as (of: Emulator) => Way)(router);
      const link = await way.links.open("site", SIGNAL);
      return { router, link: new Settled(link, way.passTime) };
    }

    test("what was delivered is observed, and the second plan is empty", async () => {
      const { router, link } = await open();
      await using _router = router;
      await using _link = link;
      const steps = await link.plan([group("a"), rule("theirs first", "drop")]);
      expect(steps.map(({ command }) => command)).toEqual(["add", "add"]);
      await link.deliver(steps);
      expect(await link.plan([group("a"), rule("theirs first", "drop")])).toEqual([]);
      expect(router.control.rows("/user/group").map(({ name }) => name)).toContain("a");
    });

    test("a refused step ends the delivery; those before it stay", async () => {
      const { router, link } = await open();
      await using _router = router;
      await using _link = link;
      const steps = await link.plan([group("a"), group("b"), group("c")]);
      await router.control.addRow("/user/group", { name: "b", policy: "read" });
      const refused = await link.deliver(steps).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StepError);
      expect((refused as StepError).step.target.key).toBe("b");
      const names = router.control.rows("/user/group").map(({ name }) => name);
      expect(names).toContain("a");
      expect(names).not.toContain("c");
    });

    test("a change behind the rollback timer stays once it is confirmed", async () => {
      const { router, link } = await open();
      await using _router = router;
      await using _link = link;
      const steps = await link.plan([rule("ours", "accept")]);
      const before = rules(router);
      let armedWith: unknown;
      await link.deliver(steps, async () => {
        armedWith = rules(router);
      });
      expect(armedWith).toEqual(before); // no step had taken effect
      expect(timers(router)).toHaveLength(2);
      expect(await link.confirm(true)).toEqual({ stands: true });
      expect(timers(router)).toEqual([]);
      await router.control.advanceClock(TOO_LATE_MS);
      expect(rules(router)).not.toEqual(before);
    });

    test("a change that nobody confirms in time is undone by the router, and it says so", async () => {
      const { router, link } = await open();
      await using _router = router;
      await using _link = link;
      const before = rules(router);
      await link.deliver(await link.plan([rule("ours", "accept")]), async () => {});
      await router.control.advanceClock(TOO_LATE_MS);
      expect(await link.confirm(true)).toEqual({ stands: false });
      expect(rules(router)).toEqual(before);
      expect(timers(router)).toEqual([]);
    });

    test("a second change takes the first one's rollback timer away before it arms its own", async () => {
      const { router, link } = await open();
      await using _router = router;
      await using _link = link;
      await link.deliver(await link.plan([rule("one", "accept")]), async () => {});
      await link.deliver(await link.plan([rule("one", "accept"), rule("two", "drop")]), async () => {});
      expect(timers(router)).toHaveLength(2);
      await router.control.advanceClock(TOO_LATE_MS);
      expect(rules(router).map(({ comment }) => comment)).toEqual(["one"]);
    });

    test("a lease that has ended keeps every change off the router", async () => {
      const { router, link } = await open();
      await using _router = router;
      await using _link = link;
      const steps = await link.plan([group("a")]);
      await expect(holding(ENDED, () => link.deliver(steps))).rejects.toThrow("the lease has ended");
      await link.passTime();
      expect(router.control.rows("/user/group").map(({ name }) => name)).not.toContain("a");
    });
  });
});

/** Asks again until the answer is there, as later runs do. */
class Settled implements AsyncDisposable {
  readonly link: RouterLink;
  readonly passTime: Way["passTime"];

  constructor(link: RouterLink, passTime: Way["passTime"]) {
    this.link = link;
    this.passTime = passTime;
  }

  async plan(desired: readonly DesiredMenu[]): Promise<readonly Step[]> {
    const { version } = this.link.router;
    const reads = readsOf(desired, version);
    const observed = await this.#settle((resume) => this.link.observe(reads, { signal: SIGNAL, resume }));
    return plan(desired, observed, version).steps;
  }

  /** @param armed makes it a change behind the rollback timer */
  deliver(steps: readonly Step[], armed?: () => Promise<void>): Promise<undefined> {
    const delivery = { steps, rollback: armed !== undefined };
    return this.#settle((resume) => this.link.deliver(delivery, { signal: SIGNAL, resume, armed }));
  }

  confirm(rollback: boolean) {
    return this.#settle((resume) => this.link.confirm({ rollback }, { signal: SIGNAL, resume }));
  }

  async #settle<T>(ask: (resume: string | undefined) => Promise<Answer<T>>): Promise<T> {
    let resume: string | undefined;
    for (let tries = 0; tries < 3; tries++) {
      const answer = await ask(resume);
      if (answer.state === "done") return answer.result;
      resume = answer.wakeKey;
      await this.passTime();
    }
    throw new Error("no answer came");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
  }
}

function group(key: string): DesiredMenu {
  return { menu: userGroup, rows: [{ key, fields: { policy: "read" } }], owns: "none" };
}

function rule(key: string, action: string): DesiredMenu {
  const row = { key, fields: { chain: "input", action, protocol: "icmp" }, managementPath: true as const };
  return { menu: firewallFilter, rows: [row], owns: { field: "comment", is: [key] } };
}

function rules(router: Emulator): Row[] {
  const shown = router.control.rows("/ip/firewall/filter");
  return shown.map(({ ".id": _id, bytes: _b, packets: _p, ...row }) => row);
}

function timers(router: Emulator) {
  return router.control.rows(rollbackTimerRead.menu).filter(({ name = "" }) => name.startsWith("portreeve-"));
}

function startRouter(version: string): Promise<Emulator> {
  return startEmulator({ version, ports: { api: 0 }, listen: ["api"], ...LOGIN });
}

function apiWay(router: Emulator): RouterLinks {
  const open = async () => {
    const { address: host } = router;
    const client = await RouterClient.connect({ host, port: router.port("api"), ...LOGIN });
    return {
      client,
      watch: new ConnectionWatch({ client, username: "", onHeard: () => {} }),
      version: parseVersion(router.version),
      managementAddress: "127.0.0.1",
      service: "api" as const,
      [Symbol.asyncDispose]: async () => client.close(),
    };
  };
  const openSecret = () => Promise.reject(new Error("no step here holds a secret"));
  return apiLinks({ access: { open, openForReading: open, heartbeat: async () => false }, openSecret });
}

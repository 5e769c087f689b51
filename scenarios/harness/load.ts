/**
 * Operators at work on a server that keeps being killed. Each repeats a request until it is answered, with the same
 * Idempotency-Key, and remembers what was acknowledged; before it touches a thing again it compares.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Credential, Policy, TransientAccess } from "@portreeve/api-schema";
import { expect } from "vitest";
import type { Answer } from "./api.ts";
import { expectStatus } from "./api.ts";
import { policyOf } from "./policies.ts";
import type { Random } from "./random.ts";
import type { ServerProcess } from "./server-process.ts";

const POLICIES = "/v1/control-plane/policies";
const MAX_POLICIES = 8;
const MAX_OPEN = 4;
/** Three services share these ports. */
const POOL = [8291, 2022, 8728, 8738];
/** Between two attempts at a server that is away, milliseconds. */
const RETRY_MS = 25;

interface KnownPolicy {
  readonly id: string;
  readonly input: Record<string, unknown>;
}

interface KnownAccess {
  readonly siteId: string;
  readonly answer: TransientAccess;
  readonly ended: "revoked" | "expired" | undefined;
}

/** Everything the server has acknowledged. */
export class Load {
  readonly policies = new Map<string, KnownPolicy>();
  readonly deletedPolicies: string[] = [];
  /** Site -> the policy it was attached to last. */
  readonly attached = new Map<string, string>();
  readonly rotations: Credential[] = [];
  readonly access = new Map<string, KnownAccess>();
  /** Answered requests that changed something. */
  acknowledged = 0;
  readonly #server: ServerProcess;
  readonly #random: Random;
  readonly #siteIds: readonly string[];
  readonly #working: Promise<void>[];
  #stopping = false;
  #names = 0;

  constructor(server: ServerProcess, random: Random, siteIds: readonly string[]) {
    this.#server = server;
    this.#random = random;
    this.#siteIds = siteIds;
    const jobs = [
      () => this.#configure(),
      () => this.#rotate(),
      () => this.#useAccess(),
      () => this.#useAccess(),
    ];
    this.#working = jobs.map((job) => this.#repeat(job));
    for (const working of this.#working) working.catch(() => undefined);
  }

  /** Let everybody finish what they are at. @throws what one of them found wrong */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#working);
  }

  /** @throws what somebody has found wrong so far */
  async check(): Promise<void> {
    await Promise.race([Promise.all(this.#working), delay(0)]);
  }

  async #repeat(job: () => Promise<void>): Promise<void> {
    while (!this.#stopping) {
      await job();
      await delay(this.#random.below(20));
    }
  }

  /** Ask until there is an answer; the database may be away for a moment too. */
  async #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = method === "POST" ? { "idempotency-key": randomUUID() } : {};
    for (;;) {
      try {
        const answer = await this.#server.api.call(method, path, { body, headers });
        if (answer.status !== 503) return answer;
      } catch (error) {
        // What fetch throws when the server is away; anything else is a finding.
        if (!(error instanceof TypeError)) throw error;
      }
      await delay(RETRY_MS);
    }
  }

  /** A request that changes something and must succeed. */
  async #change(method: string, path: string, status: number, body?: unknown): Promise<Answer["body"]> {
    const answer = await this.#ask(method, path, body);
    this.acknowledged++;
    return expectStatus(answer, status);
  }

  async #configure(): Promise<void> {
    const known = [...this.policies.values()];
    if (known.length < 2 || (known.length < MAX_POLICIES && this.#random.chance(0.2))) {
      const input = this.#input();
      const { id } = await this.#change("POST", POLICIES, 201, input);
      this.policies.set(id, { id, input });
      return;
    }
    const policy = this.#random.pick(known);
    await this.expectPolicy(policy);
    if (this.#random.chance(0.1)) await this.#deletePolicy(policy.id);
    else if (this.#random.chance(0.5)) await this.#attach(policy);
    else {
      const input = this.#input();
      await this.#change("PUT", `${POLICIES}/${policy.id}`, 200, input);
      this.policies.set(policy.id, { id: policy.id, input });
    }
  }

  async #deletePolicy(id: string): Promise<void> {
    const answer = await this.#ask("DELETE", `${POLICIES}/${id}`);
    // A first attempt whose answer was lost has done it.
    expect([204, 404]).toContain(answer.status);
    this.policies.delete(id);
    this.deletedPolicies.push(id);
    for (const [siteId, policyId] of this.attached) if (policyId === id) this.attached.delete(siteId);
  }

  async #attach(policy: KnownPolicy): Promise<void> {
    const sites = this.#siteIds.filter(() => this.#random.chance(0.5));
    const answer: Policy = await this.#change("PUT", `${POLICIES}/${policy.id}/sites`, 200, { sites });
    for (const siteId of sites) {
      expect(answer.sites).toContain(siteId);
      this.attached.set(siteId, policy.id);
    }
  }

  /** A name of its own, and services that take each other's ports, the management path among them. */
  #input(): Record<string, unknown> {
    const free = [...POOL];
    const port = () => free.splice(this.#random.below(free.length), 1)[0] as number;
    return policyOf({
      name: `p${++this.#names}`,
      winbox: { port: port() },
      ssh: { port: port() },
      api: { port: port() },
      telnet: { enabled: this.#random.chance(0.5) },
    });
  }

  async #rotate(): Promise<void> {
    const siteId = this.#random.pick(this.#siteIds);
    const answer = await this.#ask("POST", `/v1/control-plane/${siteId}/credentials`);
    if (answer.status === 409) return;
    this.rotations.push(expectStatus(answer, 201));
    this.acknowledged++;
    await delay(this.#random.below(100));
  }

  async #useAccess(): Promise<void> {
    const siteId = this.#random.pick(this.#siteIds);
    const open = [...this.access.values()].filter((one) => one.siteId === siteId && !one.ended);
    if (open.length < MAX_OPEN && this.#random.chance(0.5)) {
      const type = this.#random.pick(["ssh", "winbox"]);
      const input = { expire_after_minutes: 60, type, full_access: false, allow_rfc1918: false };
      const answer = await this.#change("POST", `/v1/control-plane/${siteId}/transient-access`, 201, input);
      this.access.set(answer.id, { siteId, answer, ended: undefined });
    } else if (open.length > 0) {
      const one = this.#random.pick(open);
      await this.#endAccess(one, this.#random.chance(0.7) ? "revoked" : "expired");
    }
  }

  /** Taken out of reach of the other operator first: two may end one, but each compares it before. */
  async #endAccess(one: KnownAccess, how: "revoked" | "expired"): Promise<void> {
    const { id } = one.answer;
    this.access.set(id, { ...one, ended: how });
    if (how === "revoked") {
      await this.#change("DELETE", `/v1/control-plane/${one.siteId}/transient-access/${id}`, 204);
    } else await this.#expire(id);
  }

  /** Told like every change of an access: a gateway that was given its end does not ask again before it. */
  async #expire(id: string): Promise<void> {
    for (;;) {
      try {
        await this.#server.sql(
          `with ended as (update transient_access set expires_at = now() where id = $1 returning id)
           select pg_notify('portreeve_access', id::text) from ended`,
          [id],
        );
        return;
      } catch {
        await delay(RETRY_MS);
      }
    }
  }

  /** The policy is as it was acknowledged, and there is one of its name. */
  async expectPolicy({ id, input }: KnownPolicy): Promise<void> {
    const shown = expectStatus(await this.#ask("GET", `${POLICIES}/${id}`), 200);
    for (const [name, sent] of Object.entries(input)) {
      // Attaching and changing put the management network ahead of the networks sent.
      const stored = typeof sent === "object" ? withoutManagement(shown[name], this.#server) : shown[name];
      expect({ [name]: stored }).toEqual({ [name]: sent });
    }
  }
}

function withoutManagement(service: { networks: string[] | null }, server: ServerProcess) {
  const networks = service.networks?.filter((network) => network !== `${server.managementAddress}/32`);
  return { ...service, networks };
}

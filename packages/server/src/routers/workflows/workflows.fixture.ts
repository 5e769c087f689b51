/** A site and an emulated router, for workflows: each transition is made by itself. */
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { insertPending, listCredentials, openLogin } from "../../credentials/index.ts";
import type { Database } from "../../database/index.ts";
import { FixtureFleet } from "../../rollouts/fleet.fixture.ts";
import { AddressRules, adoptionLoginBinding, findSite, Sightings } from "../../sites/index.ts";
import { Keyring, Secret, Vault } from "../../vault/index.ts";
import { RouterLogins } from "../login.ts";
import { siteWorkflows } from "./index.ts";
import { workflowsOf } from "./store.ts";

const SIGNAL = new AbortController().signal;
export const GIVEN = { username: "admin", password: "given" };
export const USERNAME = "portreeve-api";

export class WorkflowFleet implements AsyncDisposable {
  readonly fleet: FixtureFleet;
  readonly vault = new Vault(new Keyring(new Map([[1, Buffer.alloc(32)]])));

  private constructor(fleet: FixtureFleet) {
    this.fleet = fleet;
  }

  static async open(): Promise<WorkflowFleet> {
    return new WorkflowFleet(await FixtureFleet.open());
  }

  /** A site that is to be adopted with {@link GIVEN}. */
  async site(version = "7.18"): Promise<WorkflowSite> {
    const router = await startEmulator({ version, ports: { api: 0 }, listen: ["api"], ...GIVEN });
    const policy = await this.fleet.createPolicy();
    const [id = ""] = await this.fleet.addSites(policy, 1, {
      site: { status: "pending" },
      connection: { address: router.address, api_port: router.port("api"), management_address: null },
      sync: { sync_state: "pending" },
    });
    const site = new WorkflowSite(this, router, id);
    await site.give(GIVEN);
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
  }
}

export class WorkflowSite implements AsyncDisposable {
  readonly router: Emulator;
  readonly id: string;
  readonly #of: WorkflowFleet;

  constructor(of: WorkflowFleet, router: Emulator, id: string) {
    this.#of = of;
    this.router = router;
    this.id = id;
  }

  get database(): Database {
    return this.#of.fleet.test.database;
  }

  /** A login to adopt the router with. */
  async give(login: { username: string; password: string }): Promise<void> {
    await this.database.asSystem(async (trx) => {
      const { customer_id: customerId } = await this.#row(trx);
      const text = new Secret(JSON.stringify(login));
      const sealed = await this.#of.vault.seal(trx, customerId, adoptionLoginBinding(this.id), text);
      await trx
        .updateTable("site_connections")
        .set({ adoption_login: sealed })
        .where("site_id", "=", this.id)
        .execute();
    });
  }

  /** One transition, by a process that knows nothing of earlier ones. @returns whether there was one */
  async advance(database = this.database): Promise<boolean> {
    const addresses = new AddressRules({ allowLoopback: true });
    const { vault } = this.#of;
    const sightings = new Sightings(database);
    await using logins = new RouterLogins({
      database,
      vault,
      sightings,
      isOurs: () => true,
      onHeard: () => {},
      addresses,
      localAddress: undefined,
    });
    const workflows = siteWorkflows({ database, vault, logins, username: USERNAME });
    return await workflows.advance(this.id, SIGNAL);
  }

  /** Every transition there is. */
  async finish(): Promise<void> {
    for (let transitions = 0; await this.advance(); transitions++) {
      if (transitions > 10) throw new Error("no end");
    }
  }

  /** A process that is killed at its n-th transaction: that one is never committed. @returns whether it came so far */
  async killedAt(n: number): Promise<boolean> {
    let transactions = 0;
    const dying = new Proxy(this.database, {
      get: (database, name) => {
        if (name !== "asSystem") return Reflect.get(database, name);
        return (work: Parameters<Database["asSystem"]>[0]) => {
          transactions += 1;
          if (transactions >= n) return Promise.reject(new KilledError());
          return database.asSystem(work);
        };
      },
    });
    try {
      while (await this.advance(dying));
      return false;
    } catch (error) {
      if (error instanceof KilledError) return true;
      throw error;
    }
  }

  async adopted(): Promise<this> {
    await this.finish();
    return this;
  }

  /** Keep a new login, as a rotation begins. */
  async keepNewLogin(): Promise<void> {
    await this.database.asSystem(async (trx) =>
      insertPending(trx, this.#of.vault, await this.#row(trx), USERNAME),
    );
  }

  /** Where its workflow stands; undefined where none does. */
  async state(): Promise<string | undefined> {
    const [row] = await this.database.asSystem((trx) => workflowsOf(trx, this.id));
    return row && `${row.kind} ${row.state}`;
  }

  row() {
    return this.database.asSystem((trx) => this.#row(trx));
  }

  async credentials(): Promise<string[]> {
    const rows = await this.database.asSystem((trx) => listCredentials(trx, this.id));
    return rows.map(({ state }) => state);
  }

  /** Does the login that the database says is proven let us in? */
  async activeWorks(): Promise<boolean> {
    const login = await this.database.asSystem(async (trx) => {
      const row = (await listCredentials(trx, this.id)).find(({ state }) => state === "active");
      return row && openLogin(trx, this.#of.vault, row);
    });
    return login !== undefined && this.letsIn(login.username, login.password.reveal());
  }

  async letsIn(username: string, password: string): Promise<boolean> {
    const { address: host } = this.router;
    try {
      await using _client = await RouterClient.connect({
        host,
        port: this.router.port("api"),
        username,
        password,
      });
      return true;
    } catch {
      return false;
    }
  }

  async #row(trx: Parameters<typeof findSite>[0]) {
    const site = await findSite(trx, this.id);
    if (!site) throw new Error("the site is gone");
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router[Symbol.asyncDispose]();
  }
}

class KilledError extends Error {}

/** Transient access of one site, as the person who gives it and the person who uses it see it. */
import type { AuditEvent, TransientAccess } from "@portreeve/api-schema";
import { waitFor } from "@portreeve/testing";
import { expect } from "vitest";
import { expectStatus } from "./api.ts";
import type { ManagedRouter } from "./routers.ts";
import type { TestServer } from "./server.ts";
import type { ServerProcess } from "./server-process.ts";
import { visit } from "./tcp.ts";

/** An access as it was answered when it was opened: with its password. */
export interface Opened extends TransientAccess {
  readonly password: string;
}

/** What opening takes, for ten minutes of read-only ssh unless something else is wanted. */
export function accessInput(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { expire_after_minutes: 10, type: "ssh", full_access: false, allow_rfc1918: false, ...change };
}

type Server = Pick<TestServer | ServerProcess, "api" | "gatewayAddress" | "managementAddress">;

export class SiteAccess {
  /** `/v1/control-plane/{site}/transient-access` */
  readonly path: string;
  readonly site: ManagedRouter["site"];
  readonly router: ManagedRouter["router"];
  readonly #server: Server;

  constructor(server: Server, { site, router }: ManagedRouter) {
    this.path = `/v1/control-plane/${site.id}/transient-access`;
    this.#server = server;
    this.site = site;
    this.router = router;
  }

  async open(change: Record<string, unknown> = {}): Promise<Opened> {
    return expectStatus(await this.#server.api.post(this.path, accessInput(change)), 201);
  }

  async show({ id }: Opened): Promise<TransientAccess> {
    return expectStatus(await this.#server.api.get(`${this.path}/${id}`), 200);
  }

  async revoke({ id }: Opened): Promise<void> {
    expectStatus(await this.#server.api.delete(`${this.path}/${id}`), 204);
  }

  /** How the person who was given the access comes in. */
  throughGateway({ port, username, password }: Opened) {
    return { host: this.#server.gatewayAddress, port, username, password };
  }

  /** The same login at the router itself, from the one address it takes the login from. */
  atRouter({ username, password }: Opened) {
    const { router } = this;
    const from = this.#server.managementAddress;
    return { host: router.address, port: router.port("ssh"), username, password, from };
  }

  /** What the audit tells of this access, oldest first. */
  async events(access: Opened): Promise<AuditEvent[]> {
    const path = `/v1/audit?site_id=${this.site.id}&limit=200`;
    const { data } = expectStatus(await this.#server.api.get(path), 200);
    return data.filter((event: AuditEvent) => event.subject_id === access.id).toReversed();
  }

  async actions(access: Opened): Promise<string[]> {
    return (await this.events(access)).map(({ action }) => action);
  }

  /** Wait for an event of this access. */
  event(access: Opened, action: string): Promise<AuditEvent> {
    const find = async () => (await this.events(access)).find((one) => one.action === action);
    return waitFor(find, { what: action });
  }

  /** Names of the users the router has. */
  userNames(): (string | undefined)[] {
    return this.router.control.rows("/user").map(({ name }) => name);
  }

  /** The access is over: the port, the login and the router's user are gone, and the answer says so. */
  async expectOver(access: Opened): Promise<void> {
    const { control } = this.router;
    const isRemoved = async () => {
      const shown = await this.show(access);
      return shown.config_removed_from_mpac && shown.config_removed_from_site && shown;
    };
    const over = await waitFor(isRemoved, { what: "the access to be removed everywhere" });
    expect(over.password).toBeNull();
    expect(await visit(this.throughGateway(access), "127.0.0.1")).toMatchObject({ error: "ECONNREFUSED" });
    expect(this.userNames()).not.toContain(access.username);
    const { username, password } = access;
    expect(control.wouldAuthenticate(username, password, this.#server.managementAddress)).toBe(false);
    await waitFor(() => control.sessions().every((session) => session.username !== username));
  }
}

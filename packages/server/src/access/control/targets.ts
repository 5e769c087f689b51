/** Where grants lead: the site's address, resolved and allowed by the address rules, and the port of its policy. */
import { isIP } from "node:net";
import type { OpenMessage } from "@portreeve/gateway";
import type { Logger } from "pino";
import type { AddressRules } from "../../sites/index.ts";
import { networksOf } from "../sources.ts";
import type { GatewayGrant } from "./store.ts";

/** A name is asked for again after this time, milliseconds. */
const FRESH_MS = 60_000;
/** The same, after it could not be resolved. */
const RETRY_MS = 5_000;

/** Names remembered beyond which the old ones are forgotten. */
const MAX_NAMES = 10_000;

interface Resolved {
  /** undefined: it could not be resolved. */
  readonly host: string | undefined;
  readonly until: number;
}

export class Targets {
  readonly #addresses: AddressRules;
  readonly #localAddress: string | undefined;
  readonly #log: Logger;
  /** Of sites known by a name, by that. */
  readonly #resolved = new Map<string, Resolved>();
  /** Who waits for a name: one look-up at a time, however many grants lead there. */
  readonly #resolving = new Map<string, Set<() => void>>();

  constructor(options: { addresses: AddressRules; localAddress: string | undefined; log: Logger }) {
    this.#addresses = options.addresses;
    this.#localAddress = options.localAddress;
    this.#log = options.log;
  }

  /**
   * Where the grant leads, without waiting: null while that is not known.
   * @param onChange called when a name has been resolved; the grant is to be looked at again then
   */
  known(grant: GatewayGrant, onChange: () => void): OpenMessage["target"] {
    const port = grant.services[grant.type]?.port;
    const host = isIP(grant.address) ? this.#allowed(grant) : this.#byName(grant, onChange);
    if (port === undefined || host === undefined) return null;
    return this.#localAddress === undefined
      ? { host, port }
      : { host, port, localAddress: this.#localAddress };
  }

  message(grant: GatewayGrant, fence: number, target: OpenMessage["target"], endsInMs: number): OpenMessage {
    return {
      type: "open",
      grant: grant.id,
      fence,
      sequence: grant.sequence,
      port: grant.port,
      target,
      sources: networksOf(grant),
      endsInMs,
      endsAtMs: grant.ends_at_ms,
      ready: grant.committed_at !== null,
    };
  }

  /** Ask for a name again at the next look. */
  doubt(address: string): void {
    const known = this.#resolved.get(address);
    if (known) this.#resolved.set(address, { ...known, until: 0 });
  }

  #allowed({ id, address }: GatewayGrant): string | undefined {
    const problem = this.#addresses.problemWith(address);
    if (problem !== undefined)
      this.#log.error({ grant: id, address, problem }, "an access leads to a refused address");
    return problem === undefined ? address : undefined;
  }

  #byName({ address }: GatewayGrant, onChange: () => void): string | undefined {
    const known = this.#resolved.get(address);
    if (!known || known.until <= performance.now()) this.#ask(address, onChange);
    return known?.host;
  }

  #ask(address: string, onChange: () => void): void {
    const waiting = this.#resolving.get(address);
    if (waiting) return void waiting.add(onChange);
    this.#resolving.set(address, new Set([onChange]));
    void this.#resolve(address);
  }

  async #resolve(address: string): Promise<void> {
    const before = this.#resolved.get(address)?.host;
    const host = await this.#addresses.resolve(address).catch((err) => {
      this.#log.warn({ err, address }, "the address of an access could not be resolved");
      return undefined;
    });
    const waiting = this.#resolving.get(address) ?? [];
    this.#resolving.delete(address);
    if (this.#resolved.size >= MAX_NAMES) this.#resolved.clear();
    const until = performance.now() + (host === undefined ? RETRY_MS : FRESH_MS);
    this.#resolved.set(address, { host: host ?? before, until });
    for (const onChange of waiting) {
      if (host === undefined) setTimeout(onChange, RETRY_MS).unref();
      else if (host !== before) onChange();
    }
  }
}

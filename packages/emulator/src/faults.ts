import type { ServiceName } from "./options.ts";

/** What goes wrong. All but `refuse` and `late-certificate` concern API commands. */
export type Fault = ApiFault | RefuseFault | LateCertificateFault;

interface Matched {
  /** Path of the commands concerned, "/user/set", or a pattern for it; every command without one. */
  readonly command?: string | RegExp;
  /** How many commands, or connections for `refuse`; all until `clear()` without it. */
  readonly times?: number;
}

export type ApiFault = Matched &
  (
    | /** Carried out at once, answered later. */ { readonly kind: "delay"; readonly ms: number }
    /** Carried out; the connection is cut after `bytes` of the reply, half of it without a number. */
    | { readonly kind: "cut"; readonly bytes?: number }
    /** Not carried out, never answered; the connection stays open. */
    | { readonly kind: "silence" }
    /** Carried out, not answered; the connection stays open unless `close`. */
    | { readonly kind: "drop-reply"; readonly close?: boolean }
    /** Not carried out; these bytes instead of a reply, a reserved length byte by default. */
    | { readonly kind: "garbage"; readonly bytes?: Uint8Array }
    /** Not carried out; this trap, then `!done`. */
    | { readonly kind: "trap"; readonly message: string; readonly category?: number }
    /** Carried out; the reply comes byte by byte, one every `ms`. */
    | { readonly kind: "trickle"; readonly ms: number }
    /** Not carried out; `!re` without end. */
    | { readonly kind: "flood" }
  );

/** New connections are accepted and reset; of one service, or of all. */
export interface RefuseFault {
  readonly kind: "refuse";
  readonly service?: ServiceName;
  readonly times?: number;
}

/**
 * A certificate can't be referred to until `ms` after it was signed: `input does not match any value of certificate`,
 * or `of ca`. Source: MikroTik manual, "REST API".
 */
export interface LateCertificateFault {
  readonly kind: "late-certificate";
  readonly ms: number;
  readonly times?: number;
}

/** The faults waiting for their command, oldest first. */
export class Faults {
  #waiting: { readonly fault: Fault; left: number }[] = [];

  inject(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#waiting = [];
  }

  takeForCommand(command: string): ApiFault | undefined {
    return this.#take((fault): fault is ApiFault => isApiFault(fault) && matches(fault, command));
  }

  takeForConnection(service: ServiceName): RefuseFault | undefined {
    return this.#take(
      (fault): fault is RefuseFault =>
        fault.kind === "refuse" && (fault.service === undefined || fault.service === service),
    );
  }

  takeForCertificate(): LateCertificateFault | undefined {
    return this.#take((fault): fault is LateCertificateFault => fault.kind === "late-certificate");
  }

  #take<F extends Fault>(wanted: (fault: Fault) => fault is F): F | undefined {
    const found = this.#waiting.find(({ fault }) => wanted(fault));
    if (!found) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#waiting = this.#waiting.filter((waiting) => waiting !== found);
    return found.fault as F;
  }
}

const isApiFault = (fault: Fault): fault is ApiFault =>
  fault.kind !== "refuse" && fault.kind !== "late-certificate";

function matches({ command }: Matched, given: string): boolean {
  if (command === undefined) return true;
  return typeof command === "string" ? command === given : command.test(given);
}

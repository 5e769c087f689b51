import { randomInt } from "node:crypto";
import { inspect } from "node:util";

const REDACTED = "[redacted]";
const ALPHANUMERICS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * A password or key on its way through the program. Text, JSON and inspect forms are `[redacted]`, so that a log
 * line, a template or an error can't carry it by accident; `reveal()` is the one way out and easy to search for.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /**
   * A random secret from the system's generator, every character equally likely (RouterOS accepts the default
   * alphabet unquoted in every place).
   * @param length characters; 22 of the default alphabet hold 130 bits
   */
  static generate(length: number, alphabet: string = ALPHANUMERICS): Secret {
    // randomInt discards out-of-range draws; `byte % 62` would favour the first 8 characters.
    return new Secret(Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(""));
  }

  /** The value itself: for the wire, the vault and the one answer that shows it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

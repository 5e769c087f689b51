import { ProtocolError } from "../errors.ts";
import type { Sentence } from "./sentence.ts";

/** A fault in a chunk that held whole sentences before it: they are here, because `push` could not return them. */
export class DecodeError extends ProtocolError {
  readonly decoded: readonly Sentence[];

  constructor(cause: ProtocolError, decoded: readonly Sentence[]) {
    super(cause.message, { operation: "decode", cause });
    this.decoded = decoded;
  }
}

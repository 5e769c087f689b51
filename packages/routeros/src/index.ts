export type { DecoderLimits, Row, Word } from "./codec/index.ts";
export {
  attributeWord,
  DEFAULT_DECODER_LIMITS,
  encodeLength,
  encodeSentence,
  Sentence,
  SentenceDecoder,
} from "./codec/index.ts";
export type { LoginRefusal } from "./errors.ts";
export {
  CommandTimeoutError,
  ConnectError,
  ConnectionClosedError,
  FatalError,
  InvalidCommandError,
  InvalidValueError,
  LoginError,
  ProtocolError,
  ReplyTooLargeError,
  RouterOsError,
  TrapError,
} from "./errors.ts";
export type { RouterOsVersion } from "./version.ts";
export { atLeast, compareVersions, parseVersion } from "./version.ts";

export { DecodeError } from "./decode-error.ts";
export type { DecoderLimits } from "./decoder.ts";
export { DEFAULT_DECODER_LIMITS, SentenceDecoder } from "./decoder.ts";
export { encodeLength } from "./length.ts";
export type { Row } from "./row.ts";
export { encodeSentence, Sentence } from "./sentence.ts";
export type { Word } from "./word.ts";
export { attributeWord } from "./word.ts";

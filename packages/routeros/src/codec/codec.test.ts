import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { encodeLength, encodeSentence, SentenceDecoder } from "./index.ts";

const BOUNDARIES: readonly (readonly [length: number, prefix: string])[] = [
  [0, "00"],
  [1, "01"],
  [127, "7f"],
  [128, "8080"],
  [256, "8100"],
  [16_383, "bfff"],
  [16_384, "c04000"],
  [2_097_151, "dfffff"],
  [2_097_152, "e0200000"],
  [0x0fffffff, "efffffff"],
  [0x10000000, "f010000000"],
  [0xffffffff, "f0ffffffff"],
];

/** Text that UTF-8 can carry: no lone surrogates. */
const words = (maxLength: number) =>
  fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), { minLength: 1, maxLength });

function decode(bytes: Uint8Array): string[][] {
  return new SentenceDecoder().push(bytes).map((sentence) => sentence.words());
}

/** The sentences, or those before the fault and then its text. */
function outcome(chunks: readonly Uint8Array[]): unknown[] {
  const decoder = new SentenceDecoder();
  const seen: unknown[] = [];
  for (const chunk of chunks) {
    try {
      seen.push(...decoder.push(chunk).map((sentence) => sentence.words()));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return [...seen, ...error.decoded.map((sentence) => sentence.words()), error.message];
    }
  }
  return seen;
}

describe("a length prefix", () => {
  test.each(BOUNDARIES)("of %i is %s", (length, prefix) => {
    expect(encodeLength(length).toString("hex")).toBe(prefix);
  });

  test.each([-1, 1.5, 2 ** 32, Number.NaN])("cannot say %d", (length) => {
    expect(() => encodeLength(length)).toThrow(ProtocolError);
  });
});

describe("a sentence", () => {
  test("is its words and a closing empty word", () => {
    expect(encodeSentence(["/login", "=name=admin"]).toString("latin1")).toBe(
      "\x06/login\x0b=name=admin\x00",
    );
  });

  test("cannot hold an empty word, which would end it", () => {
    expect(() => encodeSentence(["/login", ""])).toThrow(ProtocolError);
    expect(() => encodeSentence(["/login", new Uint8Array(0)])).toThrow(ProtocolError);
  });

  test("comes out as it went in", () => {
    fc.assert(
      fc.property(fc.array(words(20), { maxLength: 5 }), (sentences) => {
        expect(decode(Buffer.concat(sentences.map((sentence) => encodeSentence(sentence))))).toEqual(
          sentences,
        );
      }),
      { numRuns: 500 },
    );
  });

  test.each([127, 128, 16_383, 16_384, 2_097_151, 2_097_152])("carries a word of %i bytes", (length) => {
    const word = "x".repeat(length);
    const decoder = new SentenceDecoder({ maxWordBytes: 2 ** 22, maxSentenceBytes: 2 ** 23 });
    expect(decoder.push(encodeSentence([word, "=a=b"]))[0]?.words()).toEqual([word, "=a=b"]);
  });

  test("takes the five byte form of a small length too", () => {
    expect(decode(Buffer.from("f00000000121" + "00", "hex"))).toEqual([["!"]]);
  });
});

describe("the decoder", () => {
  test("gives the same sentences wherever the stream is cut", () => {
    const stream = Buffer.concat([
      encodeSentence(["!re", `=comment=${"ä".repeat(70)}`, "=.id=*1"]),
      encodeSentence([]),
      encodeSentence(["!done", ".tag=7", `=ret=${"z".repeat(300)}`]),
    ]);
    const whole = outcome([stream]);
    expect(whole).toHaveLength(2);
    for (let cut = 0; cut <= stream.length; cut++) {
      expect(outcome([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole);
    }
    expect(outcome(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test.each(Array.from({ length: 15 }, (_, i) => 0xf1 + i))("refuses the reserved first byte %i", (first) => {
    const decoder = new SentenceDecoder();
    const stream = Buffer.concat([encodeSentence(["!done"]), Uint8Array.of(first, 1, 2, 3)]);
    expect(outcome([stream])).toEqual([["!done"], `reserved length byte 0x${first.toString(16)}`]);
    expect(() => decoder.push(Uint8Array.of(first))).toThrow(ProtocolError);
    expect(() => decoder.push(encodeSentence(["!done"]))).toThrow(ProtocolError);
  });
});

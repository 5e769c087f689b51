/** Anything as what a command is made of. */

import { encodeSentence } from "../../codec/index.ts";
import { checkCommand, commandWords, describeCommand } from "../../command.ts";
import { InvalidCommandError } from "../../errors.ts";
import { readStream } from "./reference.ts";
import type { Target } from "./target.ts";

const SEEDS = ["/ip/address/add", "comment", "a=b=c", "?name=x", "!re\0.tag=1", "/login", "/cancel", ".id"];

/** Held: a command is refused, or leaves as the words it was made of; told of, it shows no value. */
export const command: Target = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  check(bytes, random) {
    const at = random(bytes.length + 1);
    const text = bytes.toString("latin1", 0, at);
    const value = bytes.subarray(at);
    try {
      const path = random(2) === 0 ? text : "/ip/address/add";
      const name = random(2) === 0 ? text : "comment";
      const words = commandWords(path, { [name]: value, password: "hunter2" }, [`?${text}`]);
      checkCommand(words);
      const expected = [
        path,
        Buffer.concat([Buffer.from(`=${name}=`), value]),
        "=password=hunter2",
        `?${text}`,
      ];
      const { sentences } = readStream(encodeSentence(words));
      const isSame = sentences.length === 1 && Buffer.concat(sentences[0] ?? []).equals(joined(expected));
      if (!isSame || sentences[0]?.length !== expected.length) throw new Error("a command left as another");
      if (describeCommand(words).includes("hunter2"))
        throw new Error("a command is told of with its password");
      return "command sent";
    } catch (error) {
      if (error instanceof InvalidCommandError) return "command refused";
      throw error;
    }
  },
};

function joined(words: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(words.map((word) => Buffer.from(word as string)));
}

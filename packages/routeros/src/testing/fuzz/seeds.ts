/** Published exchanges with RouterOS as bytes: what the first inputs are made from. */

import { readFileSync } from "node:fs";
import { encodeSentence } from "../../codec/index.ts";
import { MAX_BYTES } from "./mutate.ts";

interface Transcript {
  readonly sent: readonly string[];
  readonly received: readonly (readonly string[])[];
}

/** @param isWanted by the command sent */
export function captured(isWanted: (command: string) => boolean = () => true): Buffer[] {
  const file = new URL("../transcripts.json", import.meta.url);
  const transcripts: Transcript[] = JSON.parse(readFileSync(file, "utf8"));
  return transcripts
    .filter(({ sent: [command = ""] }) => isWanted(command))
    .flatMap(({ sent, received }) => [[sent], received])
    .map(bytesOf)
    .filter((bytes) => bytes.length > 0);
}

export function bytesOf(sentences: readonly (readonly string[])[]): Buffer {
  const encoded = sentences.filter((words) => words.length > 0).map((words) => encodeSentence(words));
  return Buffer.concat(encoded).subarray(0, MAX_BYTES);
}

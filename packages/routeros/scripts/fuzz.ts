/**
 * Breaks captured exchanges at random and reads them; ends with status 1 at the first input that breaks a promise.
 *
 *   node --conditions=@portreeve/source packages/routeros/scripts/fuzz.ts [--inputs 10000000] [--seed 1]
 */
import { parseArgs } from "node:util";
import { FuzzFailure, fuzz } from "../src/testing/fuzz.ts";

const { values } = parseArgs({
  options: { inputs: { type: "string", default: "10000000" }, seed: { type: "string", default: "1" } },
});
const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
  console.error("--inputs is a number above 0, --seed a number");
  process.exit(2);
}
const start = performance.now();
const seconds = () => Math.round((performance.now() - start) / 1000);
try {
  const onProgress = (done: number) => console.error(`${done} inputs, ${seconds()} s`);
  const { sentences, refused, slowestMs, kept, covered } = await fuzz({ inputs, seed, onProgress });
  console.log(
    `${inputs} inputs (seed ${seed}) in ${seconds()} s: ${sentences} sentences read, ${refused} streams refused, ` +
      `slowest ${slowestMs.toFixed(1)} ms, ${kept} inputs kept for the new code they ran, ${covered} characters of ` +
      "code run, nothing broken",
  );
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  console.error(error.message, error.cause);
  process.exitCode = 1;
}

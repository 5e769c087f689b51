/**
 * Tries inputs made at random from captured exchanges and from those that reached new code; ends with status 1 at the
 * first that breaks a promise.
 *
 *   npm run fuzz [-- --inputs 10000000 --seed 1]
 */
import { parseArgs } from "node:util";
import { FuzzFailure, fuzz } from "../src/testing/fuzz/fuzz.ts";

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
  const { outcomes, kept, coverage, slowestMs } = await fuzz({ inputs, seed, onProgress });
  console.log(
    `${inputs} inputs (seed ${seed}) in ${seconds()} s: nothing broken, slowest ${slowestMs.toFixed(1)} ms, ` +
      `${kept} kept because they reached new code`,
  );
  for (const [outcome, count] of Object.entries(outcomes)) console.log(`  ${outcome}: ${count}`);
  for (const [file, share] of Object.entries(coverage)) {
    console.log(`  ${file}.ts: ${(100 * share).toFixed(1)} % of the code in its functions ran`);
  }
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  console.error(error.message, error.cause);
  process.exitCode = 1;
}

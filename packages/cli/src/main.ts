/** Entry of the `portreeve` command; the launcher in bin/ imports it. */
import { createProgram } from "./program.ts";
import { runProgram } from "./run.ts";

process.exitCode = await runProgram(createProgram(), process.argv);

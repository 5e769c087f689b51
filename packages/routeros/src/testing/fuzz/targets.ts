/** What is fuzzed, in turn; streams as often as the others together. */

import { command } from "./command.ts";
import { login } from "./login.ts";
import { script } from "./script.ts";
import { stream } from "./stream.ts";
import type { Target } from "./target.ts";
import { value } from "./values.ts";

export const targets: readonly Target[] = [stream, login, stream, script, stream, value, stream, command];

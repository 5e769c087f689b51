/** The process of `ReconcilerProcess`: the role by itself, as the supervisor's child runs it, until SIGTERM. */
import { once } from "node:events";
import { createLogger, loadConfig, startServer } from "@portreeve/server";

const config = loadConfig(process.env);
const ended = once(process, "SIGTERM");
const server = await startServer(config, createLogger(config.logLevel, process.stderr));
await ended;
await server[Symbol.asyncDispose]();
process.exit(0);

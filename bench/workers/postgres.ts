/** The embedded PostgreSQL and nothing of ours around it; says `ready` once it answers, stops on SIGTERM. */
import { startEmbedded } from "../../packages/server/src/database/index.ts";
import { silentLog } from "../../packages/server/src/database/log.ts";

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error("usage: postgres.ts <data directory>");
const running = await startEmbedded({ dataDir, log: silentLog });
process.once("SIGTERM", () => running.stop());
console.log("ready");

/** A process that runs the embedded PostgreSQL in the directory it is given, says so on stdout, and stops it when
 *  stdin ends. For tests that kill it. */
import { startEmbedded } from "./embedded.ts";
import { silentLog } from "./log.ts";

const [dataDir = ""] = process.argv.slice(2);
const postgres = await startEmbedded({ dataDir, log: silentLog, settings: { fsync: "off" } });
process.stdout.write(`${JSON.stringify(postgres.connection)}\n`);
process.stdin.resume().once("end", () => void postgres.stop());

/** What the control plane does for gateways by itself, in each API process. */
import type { OwnTask } from "../../background/index.ts";
import type { GatewayControl } from "./control.ts";

/** How often grants are looked for that ended while nobody held their gateway, milliseconds. */
const LAPSED_MS = 5_000;
/** How often everything a gateway was told is compared with the database, milliseconds. */
const COMPARE_MS = 60_000;

/** Neither is leased: a gateway's channel ends in this process alone, and rows of lapsed grants are locked one by one. */
export function gatewayTasks(control: GatewayControl): OwnTask[] {
  return [
    ownTask("lapsed", LAPSED_MS, () => control.closeLapsed()),
    ownTask("compare", COMPARE_MS, async () => control.compare()),
  ];
}

function ownTask(name: string, periodMs: number, run: () => Promise<void>): OwnTask {
  return {
    name,
    periodMs,
    concurrency: 1,
    claim: "none",
    list: async () => [name],
    run: async () => {
      await run();
      return { state: "done" };
    },
  };
}

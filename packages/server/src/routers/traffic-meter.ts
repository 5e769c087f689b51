import type { RouterClient } from "@portreeve/routeros";
import type { Traffic } from "../sites/index.ts";

/** What a connection has carried since it was last asked. */
export class TrafficMeter {
  readonly #client: RouterClient;
  #sent = 0;
  #received = 0;

  constructor(client: RouterClient) {
    this.#client = client;
  }

  take(): Traffic {
    const { bytesWritten, bytesRead } = this.#client;
    const traffic = { sent: bytesWritten - this.#sent, received: bytesRead - this.#received };
    this.#sent = bytesWritten;
    this.#received = bytesRead;
    return traffic;
  }
}

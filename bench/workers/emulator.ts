/** An emulated router with the large menu. */
import { startEmulator } from "@portreeve/emulator";
import { password, username } from "../clients/index.ts";
import { givenAttributes, MENU, ROWS } from "../menu.ts";
import { serveTasks } from "../worker.ts";

serveTasks({
  /** @returns the port of its API */
  async listen(): Promise<number> {
    const ports = { api: 0, "api-ssl": 0, ssh: 0, telnet: 0, ftp: 0, www: 0, winbox: 0 };
    const emulator = await startEmulator({ username, password, ports });
    for (let index = 0; index < ROWS; index++)
      await emulator.control.addRow(MENU, givenAttributes(index, false));
    return emulator.port("api");
  },
});

import { startEmulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { expect, test } from "vitest";

/** The software under test: closes Telnet on a router. */
async function closeTelnet(host: string, port: number, password: string): Promise<void> {
  await using client = await RouterClient.connect({ host, port, username: "admin", password });
  const services = await client.print("/ip/service", { queries: ["?name=telnet"] });
  const telnet = services.find((row) => row.dynamic !== "true");
  await client.set("/ip/service", telnet?.[".id"], { disabled: "yes" });
}

test("Telnet is closed, on every RouterOS we support", async () => {
  for (const version of ["6.49.17", "7.16", "7.20", "7.24"]) {
    // Port 0: any free port. Without `ports` the services listen on RouterOS's own.
    await using router = await startEmulator({ version, password: "pw", ports: { api: 0, telnet: 0 } });

    await closeTelnet(router.address, router.port("api"), "pw");

    expect(router.control.rows("/ip/service").find((row) => row.name === "telnet")?.disabled).toBe("true");
  }
});

test("a lost reply leaves Telnet closed all the same", async () => {
  await using router = await startEmulator({ password: "pw", ports: { api: 0, telnet: 0 } });
  router.control.inject({ kind: "drop-reply", command: "/ip/service/set", close: true });

  await expect(closeTelnet(router.address, router.port("api"), "pw")).rejects.toThrow();

  expect(router.control.rows("/ip/service").find((row) => row.name === "telnet")?.disabled).toBe("true");
});

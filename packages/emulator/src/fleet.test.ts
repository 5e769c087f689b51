import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { startEmulator, startFleet } from "./index.ts";
import { RawClient } from "./testing/raw-client.ts";

const PORTS = { api: 0, ssh: 0 };

test("every router of a fleet has an address, an identity and rows of its own", async () => {
  await using fleet = await startFleet({ count: 3, firstAddress: "127.65.0.253", ports: PORTS });
  expect(fleet.routers.map((router) => router.address)).toEqual([
    "127.65.0.253",
    "127.65.0.254",
    "127.65.1.1",
  ]);
  const [first, second] = fleet.routers;
  await first?.control.setRow("/ip/service", "telnet", { disabled: "yes" });
  await first?.control.setRow("/system/identity", undefined, { name: "renamed" });
  const telnet = (router = second) =>
    router?.control.rows("/ip/service").find((row) => row.name === "telnet");
  expect(telnet(first)?.disabled).toBe("true");
  expect(telnet(second)?.disabled).toBe("false");
  expect(fleet.routers.map((router) => router.control.rows("/system/identity")[0]?.name)).toEqual([
    "renamed",
    "router-2",
    "router-3",
  ]);
});

test("only the API listens until another service is asked for", async () => {
  await using fleet = await startFleet({ count: 1, firstAddress: "127.65.2.1", ports: PORTS });
  const [router] = fleet.routers;
  if (!router) throw new Error("no router");
  expect(router.port("ssh")).toBe(0);
  await router.control.listen("ssh");
  expect(router.port("ssh")).toBeGreaterThan(0);
  const client = await RawClient.open(router.port("api"), "127.0.0.1", router.address);
  expect(await client.run("/login", "=name=admin", "=password=")).toEqual([["!done"]]);
  client.close();
});

test("a port that can't be bound fails the start and leaves nothing running", async () => {
  await using taken = await startEmulator({ address: "127.65.3.2", listen: ["api"], ports: { api: 0 } });
  const ports = { api: taken.port("api") };
  await expect(startFleet({ count: 3, firstAddress: "127.65.3.1", ports })).rejects.toThrow(
    /^127\.65\.3\.2: port/,
  );
  await using after = await startFleet({ count: 1, firstAddress: "127.65.3.1", ports });
  expect(after.routers).toHaveLength(1);
});

test("a fleet that doesn't fit into 127.0.0.0/8 is refused", async () => {
  await expect(startFleet({ count: 2, firstAddress: "127.255.255.254" })).rejects.toThrow(RangeError);
  await expect(startFleet({ count: 1, firstAddress: "192.0.2.1" })).rejects.toThrow(RangeError);
});

test("a seed makes serial numbers, challenges and ids the same again, and another seed others", async () => {
  const facts = async (seed: string) => {
    await using fleet = await startFleet({
      count: 2,
      firstAddress: "127.65.4.1",
      ports: PORTS,
      version: "6.40",
      seed,
    });
    const serials = fleet.routers.map(
      (router) => router.control.rows("/system/routerboard")[0]?.["serial-number"],
    );
    const client = await RawClient.open(fleet.routers[0]?.port("api") ?? 0, "127.0.0.1", "127.65.4.1");
    const [challenge] = await client.run("/login");
    client.close();
    return { serials, challenge };
  };
  const once = await facts("a");
  expect(await facts("a")).toEqual(once);
  const other = await facts("b");
  expect(other.serials).not.toEqual(once.serials);
  expect(other.challenge).not.toEqual(once.challenge);
  expect(new Set(once.serials).size).toBe(2);
});

test("a seed makes the SSH host key the same again", async () => {
  const hostKey = async (seed?: string) => {
    await using router = await startEmulator({ listen: ["ssh"], ports: PORTS, ...(seed ? { seed } : {}) });
    const client = new ssh2.Client();
    const key = new Promise<string>((resolve) => {
      const hostVerifier = (bytes: Buffer) => {
        resolve(bytes.toString("base64"));
        return false;
      };
      client.on("error", () => undefined);
      client.connect({
        host: "127.0.0.1",
        port: router.port("ssh"),
        username: "admin",
        password: "",
        hostVerifier,
      });
    });
    return await key;
  };
  const first = await hostKey("a");
  expect(await hostKey("a")).toBe(first);
  expect(await hostKey("b")).not.toBe(first);
  expect(await hostKey()).not.toBe(await hostKey());
});

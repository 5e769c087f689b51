import { expect, test } from "vitest";
import { targetsOf } from "./targets.ts";

const off = (port: number) => ({ enabled: false, port, networks: [] });
const services = {
  winbox: { enabled: true, port: 8291, networks: [] },
  ssh: { enabled: true, port: 2222, networks: [] },
  http: off(80),
  https: off(443),
  telnet: off(22),
  ftp: off(2121),
  api: { enabled: true, port: 8728, networks: [] },
  api_ssl: off(8729),
};
const open = [
  { name: "winbox", port: 8291, networks: [], managementPath: false },
  { name: "ssh", port: 2222, networks: [], managementPath: false },
  { name: "api", port: 8728, networks: [], managementPath: true },
] as const;

test("the policy's ports and RouterOS's own are looked at, each once and in its service's protocol", () => {
  const targets = targetsOf({ services, open });

  expect(Object.fromEntries(targets.map(({ port, service }) => [port, service]))).toEqual({
    8291: "winbox",
    2222: "ssh",
    8728: "api",
    80: "http",
    443: "https",
    22: "telnet", // where the policy has it, though it is SSH's own port
    2121: "ftp",
    8729: "api_ssl",
    23: "telnet",
    21: "ftp",
  });
  expect(targets).toHaveLength(10);
});

test("there are never more than sixteen", () => {
  const moved = Object.fromEntries(
    Object.entries(services).map(([name, service], index) => [name, { ...service, port: 40_000 + index }]),
  );

  expect(targetsOf({ services: moved, open: [] })).toHaveLength(16);
});

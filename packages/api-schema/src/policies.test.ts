import { expect, test } from "vitest";
import { policyInput } from "./policies.ts";

const closed = (port: number) => ({ enabled: false, port, networks: [] });
const valid = {
  name: "Towers",
  winbox: { enabled: true, port: 8291, networks: ["10.0.0.0/8"] },
  ssh: { enabled: true, port: 22, networks: null },
  http: closed(80),
  https: closed(443),
  telnet: closed(23),
  ftp: closed(21),
  api: { enabled: true, port: 8728, networks: ["100.64.0.1"] },
  api_ssl: closed(8729),
};

function problems(change: Record<string, unknown>): Record<string, string> {
  const result = policyInput.safeParse({ ...valid, ...change });
  return Object.fromEntries(result.error?.issues.map((issue) => [issue.path.join("."), issue.message]) ?? []);
}

test("a policy is taken with its defaults filled in and its networks in their usual spelling", () => {
  const policy = policyInput.parse(valid);
  expect(policy.api.networks).toEqual(["100.64.0.1/32"]);
  expect(policy.ssh.networks).toBeNull();
  expect(policy).toMatchObject({
    trusted_networks: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
    custom_input_rules: true,
    brute_force_protection: false,
    drift: "repair",
    management_transport: "api",
  });
});

test.each([
  ["a name of 21 characters", { name: "x".repeat(21) }, "name"],
  ["an empty name", { name: "  " }, "name"],
  ["port 0", { ssh: { enabled: true, port: 0, networks: [] } }, "ssh.port"],
  ["port 65536", { ssh: { enabled: true, port: 65536, networks: [] } }, "ssh.port"],
  ["a port as text", { ssh: { enabled: true, port: "22", networks: [] } }, "ssh.port"],
  ["host bits", { ssh: { enabled: true, port: 22, networks: ["10.0.0.5/8"] } }, "ssh.networks.0"],
  ["a missing service", { ftp: undefined }, "ftp"],
  ["a missing list", { ftp: { enabled: false, port: 21 } }, "ftp.networks"],
  ["two enabled services on one port", { http: { enabled: true, port: 22, networks: [] } }, "http.port"],
  [
    "closed, but on the port a site may still be reached by",
    { api_ssl: { enabled: false, port: 8728, networks: [] } },
    "api_ssl.port",
  ],
  ["closing the management path", { api: { enabled: false, port: 8728, networks: [] } }, "api.enabled"],
  ["closing the management path over TLS", { management_transport: "api-ssl" }, "api_ssl.enabled"],
])("%s is refused at its field", (_what, change, field) => {
  expect(Object.keys(problems(change))).toEqual([field]);
});

test("two services may share a port when one of them is closed", () => {
  expect(problems({ http: { enabled: false, port: 22, networks: [] } })).toEqual({});
});

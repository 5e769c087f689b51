import { expect, test } from "vitest";
import { evaluatePolicy, type SitePolicy } from "./admission.ts";

const policy: SitePolicy = {
  id: "00000000-0000-4000-8000-000000000001",
  name: "edge",
  services: {
    ssh: { enabled: true, port: 2222, networks: ["10.0.0.0/8", "2001:db8::/32"] },
    telnet: { enabled: false, port: 23, networks: [] },
    ftp: { enabled: false, port: 2121, networks: [] },
  },
  open: [{ name: "ssh", port: 2222, networks: ["10.0.0.0/8", "2001:db8::/32"], managementPath: false }],
  counted: [],
};

const says = (service: "ssh" | "telnet" | "ftp", port: number, source: string) =>
  evaluatePolicy(policy, { service, port }, source);

test("a source in one of the service's networks is admitted, IPv4 and IPv6", () => {
  expect(says("ssh", 2222, "10.1.2.3")).toEqual({
    admits: true,
    reason: "policy edge opens ssh on 2222 to 10.0.0.0/8",
  });
  expect(says("ssh", 2222, "2001:db8::7").admits).toBe(true);
});

test("another source is not, and the reason says to whom", () => {
  for (const source of ["203.0.113.9", "2001:db9::7"]) {
    expect(says("ssh", 2222, source)).toEqual({
      admits: false,
      reason: `policy edge opens ssh on 2222, but not to ${source}`,
    });
  }
});

test("nobody is admitted on the port a service has moved away from", () => {
  expect(says("ssh", 22, "10.1.2.3")).toEqual({
    admits: false,
    reason: "policy edge has ssh on 2222, not on 22",
  });
});

test("nobody is admitted to a service that is disabled", () => {
  expect(says("telnet", 23, "10.1.2.3").reason).toBe("policy edge has telnet disabled");
  expect(says("ftp", 21, "10.1.2.3").reason).toBe("policy edge has ftp disabled (on 2121)");
});

test("a port belongs to the service that is open on it, whatever it usually is", () => {
  expect(says("telnet", 2222, "10.1.2.3")).toMatchObject({
    admits: true,
    reason: expect.stringContaining("opens ssh"),
  });
});

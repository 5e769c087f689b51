import Fastify from "fastify";
import { expect, test } from "vitest";
import { callerAddress } from "./address.ts";

/** What callerAddress makes of a request that arrives from `remoteAddress`. */
async function seen(
  remoteAddress: string,
  forwardedFor?: string,
  trustProxy: string[] = [],
): Promise<string> {
  const app = Fastify({ trustProxy: trustProxy.length > 0 ? trustProxy : false });
  app.get("/", async (request) => callerAddress(request));
  const headers = forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor };
  return (await app.inject({ url: "/", remoteAddress, headers })).body;
}

test("IPv4 mapped into IPv6 is shown as IPv4, and IPv6 in its usual spelling without a zone", async () => {
  expect(await seen("::ffff:198.51.100.4")).toBe("198.51.100.4");
  expect(await seen("2001:DB8:0:0:0:0:0:1")).toBe("2001:db8::1");
  expect(await seen("fe80::1%eth0")).toBe("fe80::1");
});

test("X-Forwarded-For counts only from a trusted proxy, and then only as far as proxies are trusted", async () => {
  expect(await seen("198.51.100.4", "203.0.113.7")).toBe("198.51.100.4");
  expect(await seen("198.51.100.4", "203.0.113.7", ["192.0.2.1"])).toBe("198.51.100.4");
  expect(await seen("192.0.2.1", "203.0.113.7", ["192.0.2.1"])).toBe("203.0.113.7");
  expect(await seen("::ffff:192.0.2.1", "203.0.113.7", ["192.0.2.0/24"])).toBe("203.0.113.7");
  expect(await seen("192.0.2.1", "10.0.0.1, 203.0.113.7", ["192.0.2.1"])).toBe("203.0.113.7");
});

test("what a trusted proxy passes on and is no address does not count", async () => {
  expect(await seen("192.0.2.1", "<script>", ["192.0.2.1"])).toBe("192.0.2.1");
  expect(await seen("192.0.2.1", "", ["192.0.2.1"])).toBe("192.0.2.1");
});

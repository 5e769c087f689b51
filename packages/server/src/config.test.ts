import { expect, test } from "vitest";
import { ConfigError, loadConfig } from "./config.ts";

test("every setting has a default", () => {
  const config = loadConfig({});
  expect(config).toMatchObject({
    http: { host: "127.0.0.1", port: 8080 },
    databaseUrl: undefined,
    reconcileSeconds: 30,
    entryPoint: "localhost",
    gateway: { host: "127.0.0.1", ports: { first: 40000, last: 49999 } },
    managementAddress: "100.64.0.1",
    apiUsername: "portreeve-api",
    allowLoopbackSites: false,
  });
  expect(config.masterKeyFile).toBe(`${config.dataDir}/master.key`);
  expect([...config.roles]).toEqual(["api", "reconciler", "gateway"]);
});

test("an empty variable counts as not set", () => {
  expect(loadConfig({ PORTREEVE_HTTP: "", DATABASE_URL: "" })).toMatchObject({
    http: { port: 8080 },
    databaseUrl: undefined,
  });
});

test.each([
  ["PORTREEVE_HTTP", "[::1]:0", { http: { host: "::1", port: 0 } }],
  ["PORTREEVE_GATEWAY_PORTS", "50000-50009", { gateway: { ports: { first: 50000, last: 50009 } } }],
  [
    "DATABASE_URL",
    "postgresql://u:p@/db?host=/run/postgresql",
    { databaseUrl: "postgresql://u:p@/db?host=/run/postgresql" },
  ],
  ["PORTREEVE_ALLOW_LOOPBACK_SITES", "true", { allowLoopbackSites: true }],
  ["PORTREEVE_RECONCILE_SECONDS", "5", { reconcileSeconds: 5 }],
])("%s=%s is taken", (name, value, expected) => {
  expect(loadConfig({ [name]: value })).toMatchObject(expected);
});

test.each([
  ["PORTREEVE_HTTP", "8080"],
  ["PORTREEVE_HTTP", "127.0.0.1:99999"],
  ["PORTREEVE_GATEWAY", "gateway.example"],
  ["PORTREEVE_GATEWAY_PORTS", "50009-50000"],
  ["PORTREEVE_GATEWAY_PORTS", "0-10"],
  ["PORTREEVE_MANAGEMENT_ADDRESS", "100.64.0.1/32"],
  ["PORTREEVE_RECONCILE_SECONDS", "often"],
  ["PORTREEVE_RECONCILE_SECONDS", "0"],
  ["PORTREEVE_BOOTSTRAP_TOKEN", "short"],
  ["PORTREEVE_ALLOW_LOOPBACK_SITES", "yes"],
  ["PORTREEVE_API_USERNAME", "a b"],
  ["PORTREEVE_ROLES", "api,tunnel"],
  ["DATABASE_URL", "mysql://localhost/x"],
  ["DATABASE_URL", "postgresql://user:password@a:5432,,b/portreeve"],
  ["DATABASE_URL", "postgresql://user@/portreeve?host=a,b,c&port=1,2"],
  ["DATABASE_DIRECT_URL", "localhost"],
])("%s=%s is refused by name", (name, value) => {
  expect(() => loadConfig({ [name]: value })).toThrow(ConfigError);
  expect(() => loadConfig({ [name]: value })).toThrow(new RegExp(`^${name}: must be`));
});

test("several hosts of a database are taken as they are, and a direct address only beside a pooler's", () => {
  const several = "postgresql://user:password@a:5432,b:5432/portreeve";
  expect(loadConfig({ DATABASE_URL: several })).toMatchObject({ databaseUrl: several });
  expect(() => loadConfig({ DATABASE_DIRECT_URL: several })).toThrow(/^DATABASE_DIRECT_URL: must come with/);
});

test("every wrong setting is named at once", () => {
  const wrong = { PORTREEVE_HTTP: "x", PORTREEVE_GATEWAY: "y" };
  expect(() => loadConfig(wrong)).toThrow(/PORTREEVE_HTTP.*\nPORTREEVE_GATEWAY/);
});

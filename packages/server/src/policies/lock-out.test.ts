import { expect, test } from "vitest";
import { callerLockout, managementLockout } from "./lock-out.ts";

const CLOSED = { enabled: false, port: 1, networks: null };
const NAMES = ["winbox", "ssh", "http", "https", "telnet", "ftp", "api", "api_ssl"];

type Networks = string[] | null;

/** Everything closed but what is given: service -> networks. */
function policy(open: Readonly<Record<string, Networks>>, trusted: string[] = ["192.168.0.0/16"]) {
  const services = NAMES.map((name) => {
    const networks = open[name];
    return [name, networks === undefined ? CLOSED : { enabled: true, port: 1, networks }];
  });
  return {
    services: Object.fromEntries(services),
    trusted_networks: trusted,
  };
}

function site(name: string, change: { transport?: "api" | "api-ssl"; now?: object } = {}) {
  const { transport = "api", now = policy({ api: null }) } = change;
  return {
    name,
    management_transport: transport,
    now: now as ReturnType<typeof policy>,
  };
}

const toUs = (open: Readonly<Record<string, Networks>>, ...sites: ReturnType<typeof site>[]) =>
  managementLockout(policy(open), sites);

test("the service we come in by may not be closed; whom it names beside us is the policy's", () => {
  for (const networks of [["100.64.0.1/32"], ["10.0.0.0/8"], ["::/0"], [], null]) {
    expect(toUs({ api: networks }, site("edge"))).toEqual({});
  }
  expect(toUs({}, site("edge"))).toEqual({
    "api.enabled": ["must be true: Portreeve reaches edge through api"],
  });
});

test("each site is asked through its own service", () => {
  const sites = [site("a"), site("b", { transport: "api-ssl" })];
  expect(toUs({ api: ["10.0.0.0/8"] }, ...sites)).toEqual({
    "api_ssl.enabled": ["must be true: Portreeve reaches b through api_ssl"],
  });
  expect(toUs({})).toEqual({});
});

test("many sites are counted and not all named", () => {
  const [message] =
    toUs({}, ...["a", "b", "c", "d", "e", "f", "g"].map((name) => site(name)))["api.enabled"] ?? [];
  expect(message).toBe("must be true: Portreeve reaches a, b, c, d, e and 2 more through api");
});

const HOME = "203.0.113.7";
const before = policy({ winbox: ["203.0.113.0/24"], ssh: null, api: null }, [`${HOME}/32`]);

function toCaller(open: Readonly<Record<string, Networks>>, caller = HOME, now = before) {
  return callerLockout(policy(open), [site("edge", { now }), site("other", { now: policy({}) })], caller);
}

test("a caller who is let in by any service for people keeps access", () => {
  expect(toCaller({ telnet: [`${HOME}/32`] })).toEqual({});
  expect(toCaller({ http: ["0.0.0.0/0"] })).toEqual({});
});

test("a caller who would be let in by none is told by every field that ends it", () => {
  const closing = `would end your access from ${HOME} to edge`;
  expect(toCaller({ winbox: ["10.0.0.0/8"], api: ["0.0.0.0/0"], ftp: ["0.0.0.0/0"] })).toEqual({
    "winbox.networks": [closing],
    "ssh.enabled": [closing],
  });
  expect(toCaller({ ssh: null })).toEqual({ "winbox.enabled": [closing], "ssh.networks": [closing] });
});

test("a caller who was let in by none, or is not known, loses nothing", () => {
  expect(toCaller({}, "198.51.100.1")).toEqual({});
  expect(toCaller({}, "2001:db8::1")).toEqual({});
  expect(toCaller({}, "unknown")).toEqual({});
  expect(toCaller({}, HOME, policy({ ftp: ["0.0.0.0/0"], api: ["0.0.0.0/0"] }))).toEqual({});
});

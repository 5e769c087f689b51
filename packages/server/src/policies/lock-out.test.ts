import { expect, test } from "vitest";
import { closedToCaller, closedToUs } from "./lock-out.ts";

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

function site(
  name: string,
  change: { transport?: "api" | "api-ssl"; address?: string | null; now?: object } = {},
) {
  const { transport = "api", address = "100.64.0.1", now = policy({ api: null }) } = change;
  return {
    name,
    management_transport: transport,
    management_address: address,
    now: now as ReturnType<typeof policy>,
  };
}

const toUs = (open: Readonly<Record<string, Networks>>, ...sites: ReturnType<typeof site>[]) =>
  closedToUs(policy(open), sites, "100.64.0.1");

test("the service we come in by may be open to us alone, to a network with us in it, or to the trusted ones", () => {
  for (const networks of [["100.64.0.1/32"], ["10.0.0.0/8", "100.64.0.0/10"], ["0.0.0.0/0"], [], null]) {
    expect(toUs({ api: networks }, site("edge"))).toEqual({});
  }
});

test("it may not be closed, or name others and not us", () => {
  expect(toUs({}, site("edge"))).toEqual({
    "api.enabled": ["must be true: Portreeve reaches edge through api"],
  });
  for (const networks of [["10.0.0.0/8"], ["100.64.0.0/32", "100.64.0.2/31"], ["::/0"], ["fd00::/8"]]) {
    expect(toUs({ api: networks }, site("edge"))).toEqual({
      "api.networks": ["must admit 100.64.0.1/32: Portreeve reaches edge through api from there"],
    });
  }
});

test("each site is asked through its own service and from its own address", () => {
  const sites = [
    site("a", { address: "10.9.9.9" }),
    site("b", { address: null }),
    site("c", { transport: "api-ssl" }),
    site("d", { address: "fd00::1" }),
  ];
  expect(toUs({ api: ["10.0.0.0/8"] }, ...sites)).toEqual({
    "api.networks": [
      "must admit 100.64.0.1/32: Portreeve reaches b through api from there",
      "must admit fd00::1/128: Portreeve reaches d through api from there",
    ],
    "api_ssl.enabled": ["must be true: Portreeve reaches c through api_ssl"],
  });
  expect(toUs({ api: ["10.0.0.0/8"] })).toEqual({});
});

test("many sites are counted and not all named", () => {
  const [message] =
    toUs({}, ...["a", "b", "c", "d", "e", "f", "g"].map((name) => site(name)))["api.enabled"] ?? [];
  expect(message).toBe("must be true: Portreeve reaches a, b, c, d, e and 2 more through api");
});

const HOME = "203.0.113.7";
const before = policy({ winbox: ["203.0.113.0/24"], ssh: null, api: null }, [`${HOME}/32`]);

function toCaller(open: Readonly<Record<string, Networks>>, caller = HOME, now = before) {
  return closedToCaller(policy(open), [site("edge", { now }), site("other", { now: policy({}) })], caller);
}

test("a caller who is let in by any service for people keeps a way in", () => {
  expect(toCaller({ telnet: [`${HOME}/32`] })).toEqual({});
  expect(toCaller({ http: ["0.0.0.0/0"] })).toEqual({});
});

test("a caller who would be let in by none is told by every field that ends it", () => {
  const closing = `would end the way in of ${HOME}, where you are, to edge`;
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

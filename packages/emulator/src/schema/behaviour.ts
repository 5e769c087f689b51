import { createPrivateKey, createPublicKey } from "node:crypto";
import type { Menu, MenuHost } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import { readPrefix } from "../values.ts";

/** Menus whose rows are interfaces. */
const INTERFACES = ["/interface", "/interface/wireguard", "/interface/ovpn-client", "/interface/ovpn-server"];

/** @throws Refusal when no interface has the name, in RouterOS's words for a reference that leads nowhere */
function mustBeInterface(router: MenuHost, name: string | undefined): void {
  const menus = INTERFACES.filter((path) => router.menus.has(path));
  const known = menus.some((path) => router.table(path).items.some(({ values }) => values.name === name));
  if (!known) throw refusals.noMatch("interface");
}

/** PKCS #8 head of an X25519 private key, RFC 8410; the 32 bytes of the key follow it. */
const X25519_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");

/** The public key that belongs to a WireGuard private key, both in base 64. */
function publicKeyOf(privateKey: string): string | undefined {
  const raw = Buffer.from(privateKey, "base64");
  if (raw.length !== 32) return undefined;
  const key = createPrivateKey({ key: Buffer.concat([X25519_HEAD, raw]), format: "der", type: "pkcs8" });
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
}

/** "192.0.2.0" of "192.0.2.1/24" */
function networkOf(address: string): string | undefined {
  const [host = "", bits = "32"] = address.split("/");
  const mask = bits === "0" ? 0 : (-1 << (32 - Number(bits))) >>> 0;
  const bytes = host.split(".").map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !(byte >= 0 && byte <= 255))) return undefined;
  return bytes.map((byte, index) => byte & ((mask >>> (24 - 8 * index)) & 255)).join(".");
}

/** What some menus of the schemas do beyond holding rows. */
export const BEHAVIOUR: Readonly<Record<string, Partial<Menu>>> = {
  "/interface/wireguard": {
    unique: { fields: ["name"], refusal: "already have interface with such name" },
    check(router, { command, after }) {
      if (command === "remove") return undefined;
      // Keys are made when none is given; source: MikroTik manual, "WireGuard".
      const given = after["private-key"];
      if (!given || given === "auto")
        after["private-key"] = Buffer.from(router.randomBytes(32)).toString("base64");
      const publicKey = publicKeyOf(after["private-key"] ?? "");
      if (publicKey === undefined) throw refusals.invalidValue("private-key");
      after["public-key"] = publicKey;
      after.name ??= "wireguard1";
      after["listen-port"] ??= "13231";
      return undefined;
    },
  },
  "/interface/wireguard/peers": {
    check(router, { command, after }) {
      if (command !== "remove") mustBeInterface(router, after.interface);
      return undefined;
    },
  },
  "/interface/list/member": {
    check(router, { command, after }) {
      if (command === "remove") return undefined;
      const lists = router.table("/interface/list").items;
      if (!lists.some(({ values }) => values.name === after.list)) throw refusals.noMatch("list");
      mustBeInterface(router, after.interface);
      return undefined;
    },
  },
  "/interface": {
    // Captured: without "failure:", and with a category of its own.
    check(router, { item, after }) {
      const taken = router
        .table("/interface")
        .items.some((other) => other !== item && other.values.name === after.name);
      if (taken) throw refusals.deviceExists();
      return undefined;
    },
  },
  "/system/package/update": {
    computed: (router) => ({ "installed-version": router.version }),
  },
  "/queue/simple": { unique: { fields: ["name"], refusal: "already have such name" } },
  "/interface/list": { unique: { fields: ["name"], refusal: "already have such name" } },
  "/ip/address": {
    unique: { fields: ["address", "interface"], refusal: "already have such address" },
    check(router, { command, after, given }) {
      if (command === "remove") return undefined;
      mustBeInterface(router, after.interface);
      const network = networkOf(after.address ?? "");
      if (network === undefined || readPrefix(`${network}/32`) === undefined) {
        throw refusals.invalidValue("address");
      }
      if (!after.address?.includes("/")) after.address = `${after.address}/32`;
      if (given.network === undefined) after.network = network;
      after["actual-interface"] = after.interface ?? "";
      return undefined;
    },
  },
};

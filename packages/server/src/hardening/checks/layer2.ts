/** What can be reached without an IP address: neither the firewall nor `/ip/service` stops it. */
import { macPing, macServer, macWinbox, neighborDiscovery, romon } from "@portreeve/routeros";
import type { Check } from "../types.ts";
import { setting } from "./setting.ts";
import { MAC_SERVER, NEIGHBORS, ROMON } from "./sources.ts";

/** Built-in interface lists that hold the interfaces to the outside as well. */
const EVERY_INTERFACE = new Set(["all", "static", "!dynamic", "!none"]);
const isLimited = (list: string) => list !== "" && !EVERY_INTERFACE.has(list);

const none = { "allowed-interface-list": "none" };
const KEEP_ANOTHER_WAY =
  "Nobody reaches the router by its MAC address any more: with a broken IP configuration only the serial console, " +
  "or a reset, is left.";

export const layer2Checks: readonly Check[] = [
  setting({
    id: "mac-telnet",
    title: "MAC Telnet does not answer on every interface",
    severity: "medium",
    why: "MAC Telnet lets in whoever shares a network segment with the router. The firewall, /ip/service and a user's address do not apply to it.",
    source: MAC_SERVER,
    menu: macServer,
    wanted: none,
    accepts: isLimited,
    caution: KEEP_ANOTHER_WAY,
  }),
  setting({
    id: "mac-winbox",
    title: "MAC WinBox does not answer on every interface",
    severity: "medium",
    why: "MAC WinBox lets in whoever shares a network segment with the router. The firewall, /ip/service and a user's address do not apply to it.",
    source: MAC_SERVER,
    menu: macWinbox,
    wanted: none,
    accepts: isLimited,
    caution: KEEP_ANOTHER_WAY,
  }),
  setting({
    id: "mac-ping",
    title: "MAC ping does not answer",
    severity: "low",
    why: "MAC ping tells everybody on the network segment that a router is there.",
    source: MAC_SERVER,
    menu: macPing,
  }),
  setting({
    id: "neighbor-discovery",
    title: "Neighbour discovery does not run on every interface",
    severity: "low",
    why: "Discovery tells the model, the version, the name and the addresses of the router to every network it is on, the provider's included.",
    source: NEIGHBORS,
    menu: neighborDiscovery,
    wanted: { "discover-interface-list": "none" },
    accepts: isLimited,
    caution:
      "WinBox no longer lists the router as a neighbour, and telephones get no VLAN by LLDP-MED from it.",
  }),
  setting({
    id: "romon",
    title: "RoMON is off",
    severity: "medium",
    why: "RoMON is a way to the router past its IP configuration and firewall, from any other RoMON router of the network.",
    source: ROMON,
    menu: romon,
    caution: "The router, and those behind it, can no longer be reached through RoMON.",
  }),
];

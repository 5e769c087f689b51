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
  "The router can no longer be reached by its MAC address: if its IP configuration is broken, only the serial console " +
  "or a reset remains.";

export const layer2Checks: readonly Check[] = [
  setting({
    id: "mac-telnet",
    title: "MAC Telnet does not answer on every interface",
    severity: "medium",
    why: "Anybody on the router's network segment can connect by MAC Telnet. The firewall, /ip/service and a user's address do not apply to it.",
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
    why: "Anybody on the router's network segment can connect by MAC WinBox. The firewall, /ip/service and a user's address do not apply to it.",
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
    why: "Any other RoMON router of the network can reach this one through RoMON, past its IP configuration and firewall.",
    source: ROMON,
    menu: romon,
    caution: "The router, and those behind it, can no longer be reached through RoMON.",
  }),
];

import type { Features } from "../features.ts";
import { firewallAddressList, listAddress, listAddress6 } from "./firewall-address-list.ts";
import { firewallFilter, ipv6FirewallFilter } from "./firewall-filter.ts";
import { ipService } from "./ip-service.ts";
import { log } from "./log.ts";
import type { Menu } from "./menu.ts";
import { identity, resource, routerboard, system, userSettings } from "./system.ts";
import { user } from "./user.ts";
import { userActive } from "./user-active.ts";
import { userGroup } from "./user-group.ts";

/** Every menu the emulator has, as a RouterOS version with these features has it. */
export function menusFor(features: Features): readonly Menu[] {
  return [
    ipService(features),
    firewallFilter,
    ipv6FirewallFilter,
    firewallAddressList("/ip/firewall/address-list", listAddress),
    firewallAddressList("/ipv6/firewall/address-list", listAddress6),
    log,
    system,
    identity(features),
    resource(features),
    routerboard(features),
    user(features),
    userActive(features),
    userGroup(features),
    userSettings(features),
  ];
}

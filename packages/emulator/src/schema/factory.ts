/**
 * Rows of a fresh router, as the deep dump's completions name them (what `interface=`, `profile=`, `list=`,
 * `action=` and `trap-community=` offer on a CHR nobody has configured). Values beside the names: MikroTik manual.
 */
export const FACTORY: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
  "/interface": [
    { name: "ether1", type: "ether", mtu: "1500", running: "true", disabled: "false" },
    { name: "lo", type: "loopback", mtu: "65536", running: "true", disabled: "false" },
  ],
  "/interface/list": ["all", "none", "dynamic", "static"].map((name) => ({ name })),
  "/ppp/profile": ["default", "default-encryption"].map((name) => ({ name })),
  "/snmp/community": [{ name: "public", addresses: "::/0", disabled: "false" }],
  "/system/logging/action": ["memory", "disk", "echo", "remote"].map((name) => ({ name, target: name })),
};

/**
 * Settings of a fresh router where the collection has no default, or one it leaves out for being false.
 * Source: MikroTik manual, CLI reference of each menu.
 */
export const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "/ip/dns": { "allow-remote-requests": "false" },
  "/ip/neighbor/discovery-settings": { "discover-interface-list": "static" },
  "/ip/ssh": { "strong-crypto": "false" },
  "/snmp": { enabled: "false" },
  "/tool/mac-server": { "allowed-interface-list": "all" },
  "/tool/mac-server/mac-winbox": { "allowed-interface-list": "all" },
  "/tool/mac-server/ping": { enabled: "true" },
  "/tool/romon": { enabled: "false" },
};

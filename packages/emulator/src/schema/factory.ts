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

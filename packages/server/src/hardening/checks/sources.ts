/** What the checks rest on. */
const MANUAL = "https://manual.mikrotik.com/docs";

const manual = (page: string, path: string) => ({
  title: `MikroTik manual, ${page}`,
  url: `${MANUAL}/${path}`,
});

export const SECURING = manual("Securing your router", "getting-started/securing-your-router");
export const USERS = manual("User", "authentication-authorization-accounting/user");
export const SERVICES = manual("Services", "system-information-and-utilities/services");
export const MAC_SERVER = manual("MAC server", "management-tools/mac-server");
export const ROMON = manual("RoMON", "management-tools/romon");
export const NEIGHBORS = manual("Neighbor discovery", "system-information-and-utilities/neighbor-discovery");
export const SNMP = manual("SNMP", "diagnostics-monitoring-and-troubleshooting/snmp");
export const CERTIFICATES = manual("Certificates", "authentication-authorization-accounting/certificates");
export const API = manual("API", "developer-guides/api");
export const FILTER = manual("Filter", "firewall-and-quality-of-service/firewall/filter");
export const DEVICE_MODE = manual("Device mode", "system-information-and-utilities/device-mode");
export const SCRIPTS = manual("Scripting", "developer-guides/scripting");
export const BRUTE_FORCE = manual(
  "SSH brute-force protection",
  "firewall-and-quality-of-service/user-guides/bruteforce-prevention",
);
export const CHANGELOGS = {
  title: "MikroTik, RouterOS changelogs",
  url: "https://mikrotik.com/download/changelogs",
};
export const CVE = { title: "CVE records of RouterOS", url: "https://www.cve.org/" };

/** What is asked of the HTTP API. */

export const POLICIES = "/v1/control-plane/policies";

/** A policy as a client sends it: the eight services, most with a network or two. */
export function policyInput(index: number) {
  const open = (port: number) => ({
    enabled: true,
    port,
    networks: [`10.${index}.0.0/16`, "192.168.88.0/24"],
  });
  const closed = (port: number) => ({ enabled: false, port, networks: null });
  return {
    name: `Branch ${index}`,
    winbox: open(8291),
    ssh: open(22),
    http: closed(80),
    https: open(443),
    telnet: closed(23),
    ftp: closed(21),
    api: open(8728),
    api_ssl: closed(8729),
  };
}

/**
 * The requests and answers of the MikroTik control-plane API document as data, with our hosts: where the document has
 * the vendor's management address, ours stands; ids are given by the replaying test.
 * Source: "MikroTik control-plane API document", its example requests and example responses.
 */

const PRIVATE_NETWORKS = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"];

const closed = (port: number, networks: [] | null = []) => ({ enabled: false, port, networks });
const open = (port: number, networks: string[] | null) => ({ enabled: true, port, networks });

/** The six services that are the same in every example. */
function otherServices(managementNetwork: string) {
  return {
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: open(8728, [managementNetwork]),
    api_ssl: closed(8729),
  };
}

/** Body of the example of POST …/policies, and all but id, slug and times of its answer. */
export function newPolicy(managementNetwork: string) {
  return {
    name: "My New Policy",
    winbox: open(8291, PRIVATE_NETWORKS),
    ssh: open(22, PRIVATE_NETWORKS),
    ...otherServices(managementNetwork),
  };
}

/** Body of the example of PUT …/policies/:resource_id. */
export function changedPolicy(managementNetwork: string) {
  return {
    ...newPolicy(managementNetwork),
    name: "My New Policy 2",
    winbox: open(8295, PRIVATE_NETWORKS),
  };
}

/** What PUT and attaching answer for a body: the management network comes first where a service is enabled. */
export function withManagementFirst<Body extends ReturnType<typeof newPolicy>>(
  body: Body,
  managementNetwork: string,
): Body {
  const networks = [managementNetwork, ...PRIVATE_NETWORKS];
  return { ...body, winbox: { ...body.winbox, networks }, ssh: { ...body.ssh, networks } };
}

/** The second policy of the example of GET …/policies: no networks at all. */
export const POLICY_WITHOUT_NETWORKS = {
  name: "testin 333",
  winbox: open(8291, null),
  ssh: open(22, null),
  http: closed(80, null),
  https: closed(443, null),
  telnet: closed(23, null),
  ftp: closed(21, null),
  api: open(8728, null),
  api_ssl: closed(8729, null),
};

/** The first policy of the example of GET …/policies: the one every customer starts with. */
export function defaultPolicy(managementNetwork: string) {
  const inAnyOrder = [...PRIVATE_NETWORKS].sort();
  return {
    name: "Default Policy",
    winbox: open(8291, inAnyOrder),
    ssh: open(22, inAnyOrder),
    ...otherServices(managementNetwork),
  };
}

/** Body of the example of POST …/transient-access. */
export const NEW_ACCESS = {
  expire_after_minutes: 60,
  type: "winbox",
  full_access: true,
  allow_rfc1918: false,
};

/** `08 Nov 2023 18:23:11` */
export const DOCUMENT_TIME =
  /^[0-3]\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} [0-2]\d(:[0-5]\d){2}$/;
/** `2023-11-08T08:49:32.000000Z` */
export const DELETION_TIME = /^\d{4}-[01]\d-[0-3]\dT[0-2]\d(:[0-5]\d){2}\.\d{6}Z$/;
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Milliseconds since 1970 of a time in the document's form, which is UTC. */
export function fromDocumentTime(text: string): number {
  return Date.parse(`${text} UTC`);
}

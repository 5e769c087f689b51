/** Who may come through a grant's port, as networks. Pure. */
import { isIP } from "node:net";

export interface SourceRule {
  readonly allow_only_ip: string | null;
  readonly allow_only_cidr: string | null;
  /** Private addresses may come too. */
  readonly allow_rfc1918: boolean;
}

const RFC1918 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** @returns networks in CIDR notation; none: nobody */
export function networksOf({ allow_only_ip, allow_only_cidr, allow_rfc1918 }: SourceRule): string[] {
  return [
    // The address of a caller behind a proxy that names none is no address: it admits nobody.
    ...(allow_only_ip === null || isIP(allow_only_ip) === 0
      ? []
      : [`${allow_only_ip}/${isIP(allow_only_ip) === 6 ? 128 : 32}`]),
    ...(allow_only_cidr === null ? [] : [allow_only_cidr]),
    ...(allow_rfc1918 ? RFC1918 : []),
  ];
}

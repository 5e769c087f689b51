/** The rows transient access wants on a router: one user per open grant, the groups they are in, no old sessions. Pure. */
import { user, userActive, userGroup } from "@portreeve/routeros";
import type { DesiredMenu, DesiredRow, RouterFacts, SecretReference } from "../reconcile/types.ts";

const FULL_GROUP = "portreeve-full";
const READ_GROUP = "portreeve-read";
const COMMENT_PREFIX = "portreeve: transient access ";

/**
 * Our own groups, because the built-in `read` may reboot and see secrets (RouterOS 7.20.8) and `full` may have been
 * changed. Rights that every version from 6.43 to 7.24 knows.
 */
const GROUP_POLICIES = {
  [FULL_GROUP]:
    "ftp,local,password,policy,read,reboot,romon,sensitive,sniff,ssh,telnet,test,web,winbox,write,api",
  [READ_GROUP]: "read,ssh,winbox",
};

export interface GrantFacts {
  readonly id: string;
  readonly username: string;
  readonly password: SecretReference;
  readonly fullAccess: boolean;
}

export interface TransientAccessFacts {
  /** Grants that are neither revoked nor expired, by the database's clock. */
  readonly open: readonly GrantFacts[];
  /** Ended grants whose user has not been seen gone yet. */
  readonly ended: readonly { id: string; username: string }[];
}

export function desired({ open, ended }: TransientAccessFacts, router: RouterFacts): DesiredMenu[] {
  const grants = router.offboarding ? [] : open;
  const groups = router.offboarding ? [] : Object.entries(GROUP_POLICIES);
  const gone = [...ended, ...(router.offboarding ? open : [])].map(({ username }) => username);
  return [
    {
      menu: userGroup,
      rows: groups.map(([key, policy]) => ({ key, fields: { policy } })),
      owns: { field: "name", is: Object.keys(GROUP_POLICIES) },
    },
    {
      menu: user,
      rows: grants.map((grant) => userRow(grant, router.managementAddress)),
      owns: { field: "comment", startsWith: [COMMENT_PREFIX] },
    },
    // A session outlives its user on routers that don't end it themselves.
    ...(gone.length > 0 ? [{ menu: userActive, rows: [], owns: { field: "name", is: gone } }] : []),
  ];
}

function userRow(grant: GrantFacts, managementAddress: string): DesiredRow {
  return {
    key: grant.username,
    fields: {
      group: grant.fullAccess ? FULL_GROUP : READ_GROUP,
      address: managementAddress, // only through our gateway
      disabled: "false",
      comment: COMMENT_PREFIX + grant.id,
    },
    secrets: { password: grant.password },
  };
}

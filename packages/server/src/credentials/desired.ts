/** The rows this module wants on a router: our API user and the group it is in. Pure. */
import { user, userGroup } from "@portreeve/routeros";
import type { DesiredMenu, RouterFacts, RowMatch, SecretReference } from "../reconcile/types.ts";

export const API_GROUP = "portreeve-api";
const API_USER_COMMENT = "portreeve: API user - do not edit or remove";

/**
 * The rights of our own user, no more than the work needs: log in over the API, read and write configuration,
 * and `policy` for users and groups (MikroTik manual, "User"). Nothing that reboots, sniffs or reads secrets.
 */
export const API_POLICIES = "api,policy,read,write";

/** @param password written if the user has to be added; an existing user's password is not touched */
export function desired(
  username: string,
  password: SecretReference | undefined,
  router: RouterFacts,
): DesiredMenu[] {
  const ownsGroup: RowMatch = { field: "name", is: [API_GROUP] };
  const ownsUser: RowMatch = { field: "name", is: [username] };
  if (router.offboarding) {
    return [
      { menu: userGroup, rows: [], owns: ownsGroup, managementPath: ownsGroup },
      { menu: user, rows: [], owns: ownsUser, managementPath: ownsUser },
    ];
  }
  const fields = {
    group: API_GROUP,
    address: router.managementAddress,
    disabled: "false",
    comment: API_USER_COMMENT,
  };
  const secrets = password ? { secrets: { password } } : {};
  return [
    { menu: userGroup, rows: [{ key: API_GROUP, fields: { policy: API_POLICIES } }], owns: ownsGroup },
    { menu: user, rows: [{ key: username, fields, ...secrets, managementPath: true }], owns: ownsUser },
  ];
}

import type { Router } from "./router.ts";
import type { Item } from "./table.ts";
import { admits } from "./values.ts";

export type Refused = "bad-credentials" | "not-allowed";

export interface Authenticated {
  readonly username: string;
  readonly group: string;
  readonly policies: ReadonlySet<string>;
}

/** How a client proves its password: the text, or the answer to a challenge. */
export type Proof = (password: string) => boolean;

export const passwordIs =
  (given: string): Proof =>
  (password) =>
    password === given;

/**
 * Check a login against `/user` and `/user/group`.
 * A wrong name, password or source address and a disabled user are answered alike; only a user who may come in
 * but whose group lacks the service's policy is told so.
 */
export function authenticate(
  router: Router,
  login: { username: string; proof: Proof; address: string; policy: "api" | "ssh" },
): Authenticated | Refused {
  const user = findUser(router, login.username);
  if (!user || !mayEnter(user, login.proof, login.address)) return "bad-credentials";
  const group = user.values.group ?? "";
  const policies = policiesOf(router, group);
  if (!policies.has(login.policy)) return "not-allowed";
  return { username: login.username, group, policies };
}

function mayEnter(user: Item, proof: Proof, address: string): boolean {
  const { disabled, password = "", address: from = "" } = user.values;
  return disabled !== "true" && proof(password) && admits(from, address);
}

/** Name, password and source address would be accepted, whatever the service and its policy. */
export function wouldAuthenticate(
  router: Router,
  username: string,
  password: string,
  address: string,
): boolean {
  const user = findUser(router, username);
  return user !== undefined && mayEnter(user, passwordIs(password), address);
}

function findUser(router: Router, name: string): Item | undefined {
  return router.table("/user").items.find((item) => item.values.name === name);
}

/** The policies a group grants now; none for a group that is not there. */
function policiesOf(router: Router, group: string): ReadonlySet<string> {
  const item = router.table("/user/group").items.find(({ values }) => values.name === group);
  const words = item?.values.policy?.split(",") ?? [];
  return new Set(words.filter((word) => word !== "" && !word.startsWith("!")));
}

/** Who may log in. */
import { type Row, user, userSettings } from "@portreeve/routeros";
import { named } from "../text.ts";
import type { Check, Evaluation, Evidence, RouterView } from "../types.ts";
import { evidenceOf, isTrue } from "./rows.ts";
import { setting } from "./setting.ts";
import { SECURING, USERS } from "./sources.ts";

const DEFAULT_USER = "admin";
/** What the manual asks for. */
export const PASSWORD_LENGTH = 12;

export const userChecks: readonly Check[] = [
  {
    id: "default-admin-user",
    title: "The user admin is disabled",
    severity: "high",
    why: "Attackers try the name admin first, and older routers have this user without a password by default.",
    source: SECURING,
    reads: ["/user", "/user/group", "/user/active"],
    evaluate: evaluateDefaultUser,
    fix: {
      desired: () => [
        { menu: user, rows: [{ key: DEFAULT_USER, fields: { disabled: "true" } }], owns: "none" },
      ],
      caution: "Everybody who logs in as admin must use another user. Open sessions continue.",
      once: { menu: "/user", isDone: (rows) => !rows.some(isEnabledDefault) },
    },
  },
  {
    id: "user-passwords",
    title: "Every user has a password",
    severity: "high",
    why: "RouterOS allows empty passwords, and older routers have one by default.",
    source: USERS,
    reads: ["/user"],
    evaluate: evaluatePasswords,
    fix: "RouterOS shows no passwords, and Portreeve does not try an empty one. Set them: /user/set NAME password=…",
  },
  setting({
    id: "password-length",
    title: `Passwords have ${PASSWORD_LENGTH} characters or more`,
    severity: "medium",
    why: "Without a minimum, a short or empty password is accepted when one is set.",
    source: SECURING,
    menu: userSettings,
    wanted: { "minimum-password-length": String(PASSWORD_LENGTH) },
    accepts: (value) => Number(value) >= PASSWORD_LENGTH,
    caution: "A shorter password is refused from now on; those that are set stay as they are.",
  }),
  {
    id: "full-users-unrestricted",
    title: "Users with full rights may log in from known addresses only",
    severity: "high",
    why: "A guessed or stolen password then works from those addresses only.",
    source: SECURING,
    reads: ["/user", "/user/group"],
    evaluate: evaluateUnrestricted,
    fix: "Portreeve does not know where these people work from. Set it: /user/set NAME address=192.0.2.0/24",
  },
  {
    id: "read-group-rights",
    title: "Nobody is in a read-only group that may do more than read",
    severity: "medium",
    why: "The built-in group read may reboot and reset the router and see secrets. People who should only read need a group of their own.",
    source: USERS,
    reads: ["/user", "/user/group"],
    evaluate: evaluateReadGroup,
    fix: "Portreeve does not know what these people need. Make a group, for example /user/group/add name=look policy=read,winbox,ssh, and move them into it.",
  },
];

const isEnabled = (row: Row) => !isTrue(row.disabled);
const isEnabledDefault = (row: Row) => row.name === DEFAULT_USER && isEnabled(row);

/** Rights of a group, those that are granted. */
function rightsOf(group: string | undefined, groups: readonly Row[]): readonly string[] {
  const policy = groups.find(({ name }) => name === group)?.policy ?? "";
  return policy.split(",").filter((right) => !right.startsWith("!"));
}

/** With these two rights a user can give itself all the others. */
function isFull(row: Row, groups: readonly Row[]): boolean {
  const rights = rightsOf(row.group, groups);
  return rights.includes("policy") && rights.includes("write");
}

const userEvidence = (row: Row): Evidence =>
  evidenceOf("/user", row, ["name", "group", "address", "disabled", "expired", "last-logged-in"]);

function evaluateDefaultUser({ rows, site }: RouterView): Evaluation {
  const admin = rows("/user").find(({ name }) => name === DEFAULT_USER);
  if (!admin) return { status: "ok", detail: "There is no user admin." };
  const evidence = [userEvidence(admin)];
  if (!isEnabled(admin)) return { status: "ok", detail: "The user admin is disabled.", evidence };
  const sessions = rows("/user/active").filter(({ name }) => name === DEFAULT_USER);
  const noFix = reasonToKeepDefault(rows, site.apiUsername, sessions);
  return {
    status: "open",
    detail: "The user admin is enabled.",
    evidence: [
      ...evidence,
      ...sessions.map((row) => evidenceOf("/user/active", row, ["name", "address", "via"])),
    ],
    ...(noFix === undefined ? {} : { noFix }),
  };
}

/** Why disabling admin would take somebody's way to the router. */
function reasonToKeepDefault(
  rows: RouterView["rows"],
  apiUsername: string,
  sessions: readonly Row[],
): string | undefined {
  if (apiUsername === DEFAULT_USER) return "Portreeve itself logs in as admin on this router.";
  const [session] = sessions;
  if (session) {
    const from = session.address ? ` from ${session.address}` : "";
    return `Somebody is logged in as admin right now (${session.via ?? "unknown"}${from}). Ask again once they have left.`;
  }
  const groups = rows("/user/group");
  const others = rows("/user").filter(
    (row) => row.name !== DEFAULT_USER && row.name !== apiUsername && isEnabled(row) && isFull(row, groups),
  );
  if (others.length > 0) return undefined;
  return "It is the only user with full rights beside Portreeve's own. Add one for a person first: /user/add name=… group=full password=…";
}

/** The password of a user can't be read back, so whether there is one is never known. */
function evaluatePasswords({ rows, site }: RouterView): Evaluation {
  const people = rows("/user").filter((row) => row.name !== site.apiUsername && isEnabled(row));
  if (people.length === 0) return { status: "ok", detail: "Nobody but Portreeve itself can log in." };
  const expired = people.filter((row) => isTrue(row.expired)).map(({ name }) => name ?? "");
  const must = expired.length > 0 ? ` ${named(expired)} must set a new one at the next login.` : "";
  return {
    status: "unknown",
    detail: `RouterOS shows no passwords, so it is not known for ${named(people.map(({ name }) => name ?? ""))}.${must}`,
    evidence: people.map(userEvidence),
  };
}

function evaluateUnrestricted({ rows }: RouterView): Evaluation {
  const groups = rows("/user/group");
  const full = rows("/user").filter((row) => isEnabled(row) && isFull(row, groups));
  const anywhere = full.filter(({ address = "" }) => address === "" || address.endsWith("/0"));
  const names = named(anywhere.map(({ name }) => name ?? ""));
  return anywhere.length === 0
    ? {
        status: "ok",
        detail: "Every enabled user with full rights has an address.",
        evidence: full.map(userEvidence),
      }
    : { status: "open", detail: `From anywhere: ${names}.`, evidence: anywhere.map(userEvidence) };
}

/** What `read` grants and a name like that does not promise. */
const MORE_THAN_READING = ["reboot", "sensitive"];

function evaluateReadGroup({ rows }: RouterView): Evaluation {
  const rights = rightsOf("read", rows("/user/group")).filter((right) => MORE_THAN_READING.includes(right));
  const members = rows("/user").filter((row) => row.group === "read" && isEnabled(row));
  if (members.length === 0 || rights.length === 0)
    return { status: "ok", detail: "No enabled user is in the group read, or it was given less." };
  const names = named(members.map(({ name }) => name ?? ""));
  return {
    status: "open",
    detail: `In the group read, with ${rights.join(" and ")}: ${names}.`,
    evidence: members.map(userEvidence),
  };
}

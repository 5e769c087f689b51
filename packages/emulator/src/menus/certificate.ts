import { isSigned, validForMs } from "../certificates.ts";
import { refusals } from "../refusal.ts";
import { boolean, formatSeconds, integer, listOf, oneOf, text, type ValueType } from "../values.ts";
import { KEY_USAGES } from "../x509/names.ts";
import {
  createRequest,
  exportCertificate,
  importCertificate,
  revokeIssued,
  sign,
} from "./certificate-commands.ts";
import type { Change, Field, MenuFor, MenuHost } from "./menu.ts";

/** Defaults: MikroTik manual, "Certificates"; values: deep schema dump of 7.22.3. */
const DEFAULT_USAGE =
  "digital-signature,key-encipherment,data-encipherment,key-cert-sign,crl-sign,tls-server,tls-client";
const KEY_SIZES = ["1024", "1536", "2048", "4096", "8192", "prime256v1", "secp384r1", "secp521r1"];
const DIGESTS = ["md5", "sha1", "sha256", "sha384", "sha512"];

const altNames: ValueType = {
  read(value, argument) {
    const names = value === "" ? [] : value.split(",");
    if (!names.every((name) => /^(DNS|IP|email):[\x21-\x7e]+$/.test(name)))
      throw refusals.invalidValue(argument);
    return value;
  },
};

const readOnly: Field = { type: text, readOnly: true };
const flag: Field = { type: boolean, readOnly: true };
const subject: Field = { type: text, clearable: true };

const fields: Readonly<Record<string, Field>> = {
  name: { type: text },
  issuer: readOnly,
  "digest-algorithm": { type: oneOf(DIGESTS), default: "sha256" },
  "key-type": readOnly,
  country: subject,
  state: subject,
  locality: subject,
  organization: subject,
  unit: subject,
  "common-name": subject,
  "key-size": { type: oneOf(KEY_SIZES), default: "2048" },
  "subject-alt-name": { type: altNames, clearable: true },
  // 35 weeks-and-days figures aside, no bound is published; a century is more than any certificate here needs.
  "days-valid": { type: integer(1, 36_500), default: "365" },
  trusted: { type: boolean, default: "false" },
  "key-usage": { type: listOf(KEY_USAGES), default: DEFAULT_USAGE },
  ca: readOnly,
  "serial-number": readOnly,
  fingerprint: readOnly,
  akid: readOnly,
  skid: readOnly,
  "invalid-before": readOnly,
  "invalid-after": readOnly,
  "expires-after": readOnly,
  "private-key": flag,
  authority: flag,
  issued: flag,
  revoked: readOnly,
  expired: flag,
};

/** Only the name and the trust of a certificate can change once it is signed; of the rest the signature speaks. */
const AFTER_SIGNING = ["name", "trusted"];

/** 7.20.8's own words: tikoci/lsp-routeros-ts, required-args. */
const NAMELESS = "At least one field specifying certificate name must be set!";

function check(_router: MenuHost, { command, item, given, after }: Change): undefined {
  if (command === "remove") return undefined;
  if (!after.name) throw refusals.failure(NAMELESS);
  const touched = Object.keys(given).some((name) => !AFTER_SIGNING.includes(name));
  if (item && isSigned(item) && touched) throw refusals.notEmulated("changes of a signed certificate");
  return undefined;
}

/** Removing an authority removes everything it signed; source: MikroTik manual, "Certificates". */
function removeIssued(router: MenuHost, change: Change): void {
  const { name, authority } = change.before;
  if (change.command !== "remove" || authority !== "true") return;
  const table = router.table("/certificate");
  for (const child of table.items.filter(({ values }) => values.ca === name)) {
    if (table.byId(child.id) !== child) continue;
    table.remove(child);
    removeIssued(router, { ...change, item: child, before: child.values });
  }
}

/** Templates and certificates; real ones, which `api-ssl` and `www-ssl` serve. */
export const certificate: MenuFor = (features) => ({
  path: "/certificate",
  nameField: "name",
  commands: ["print", "getall", "get", "listen", "add", "set", "unset", "remove"],
  fields,
  unique: { fields: ["name"], refusal: "already have such name" },
  computed(router, item) {
    const left = validForMs(router, item);
    if (left === undefined) return {};
    const expired = left <= 0;
    return { expired: String(expired), "expires-after": formatSeconds(Math.max(0, left / 1000)) };
  },
  check,
  applied: removeIssued,
  // One that goes together with its authority may have gone already.
  removeLive: () => undefined,
  own: {
    sign,
    "create-certificate-request": createRequest,
    import: importCertificate(features),
    "export-certificate": exportCertificate,
    "issued-revoke": revokeIssued,
  },
});

import { usableCertificate } from "../certificates.ts";
import type { Features } from "../features.ts";
import type { ServiceName } from "../options.ts";
import { refusals } from "../refusal.ts";
import { boolean, integer, oneOf, prefixes, text } from "../values.ts";
import type { Change, Field, MenuFor, MenuHost } from "./menu.ts";

interface FactoryService {
  /** Seen in public exchanges: *0 telnet, *2 www, *6 www-ssl (7.19.1). The others are our choice. */
  readonly id: string;
  readonly name: ServiceName;
  readonly port: string;
  readonly tls?: boolean;
  /** Factory default: all enabled but www-ssl and reverse-proxy. */
  readonly disabled?: boolean;
  readonly feature?: keyof Features;
}

/** Source: MikroTik manual, "Services"; reverse-proxy from the schema dumps. */
const FACTORY: readonly FactoryService[] = [
  { id: "*0", name: "telnet", port: "23" },
  { id: "*1", name: "ftp", port: "21" },
  { id: "*2", name: "www", port: "80" },
  { id: "*3", name: "ssh", port: "22" },
  { id: "*6", name: "www-ssl", port: "443", tls: true, disabled: true },
  { id: "*7", name: "api", port: "8728" },
  { id: "*8", name: "winbox", port: "8291" },
  { id: "*9", name: "api-ssl", port: "8729", tls: true },
  { id: "*A", name: "reverse-proxy", port: "443", tls: true, disabled: true, feature: "reverseProxy" },
];

/** The column that limits sources: `address`, called `available-from` since 7.24. */
export const sourceField = (features: Features): "address" | "available-from" =>
  features.availableFrom ? "available-from" : "address";

function fieldsOf(features: Features): Record<string, Field> {
  const source = sourceField(features);
  return {
    name: { type: text, readOnly: true },
    port: { type: integer(1, 65_535) },
    ...(features.dynamicServices ? { proto: { type: text, readOnly: true } } : {}),
    [source]: { type: prefixes },
    // 7.24 still lists the argument `address`; whether it is honoured is not known. Here it writes the new
    // column, and print never shows it: a client that only looks for `address` will notice.
    ...(features.availableFrom ? { address: { type: prefixes, writes: "available-from" } } : {}),
    certificate: { type: text },
    "tls-version": { type: oneOf(["any", "only-1.2"]) },
    ...(features.version7 ? { vrf: { type: oneOf(["main"]) } } : {}),
    ...(features.maxSessions ? { "max-sessions": { type: integer(1, 1000) } } : {}),
    ...(features.dynamicServices
      ? { local: { type: text, readOnly: true }, remote: { type: text, readOnly: true } }
      : {}),
    ...(features.dynamicServices ? { connection: { type: text, readOnly: true } } : {}),
    ...(features.dynamicServices ? { dynamic: { type: text, readOnly: true } } : {}),
    invalid: { type: boolean, readOnly: true },
    disabled: { type: boolean },
  };
}

function factoryRow(service: FactoryService, features: Features): Record<string, string> {
  return {
    name: service.name,
    port: service.port,
    [sourceField(features)]: "",
    ...(service.tls ? { certificate: "none", "tls-version": "any" } : {}),
    ...(features.version7 ? { vrf: "main" } : {}),
    ...(features.maxSessions ? { "max-sessions": "20" } : {}),
    disabled: service.disabled ? "true" : "false",
  };
}

/** Certificate and TLS version matter for the TLS services alone; the other rows don't have the properties. */
function dropTls(change: Change): void {
  if (change.item?.values.certificate !== undefined) return;
  delete change.after.certificate;
  delete change.after["tls-version"];
}

/** A certificate is named, signed, has its key and is past the moment RouterOS needs after signing. */
function refuseUnknownCertificate(router: MenuHost, { given, after }: Change): void {
  const name = given.certificate;
  if (name === undefined || name === "none" || after.certificate === undefined) return;
  if (!usableCertificate(router, name)) throw refusals.noMatch("certificate");
}

/** Two enabled services can't share a port; the text for it is the one a dynamic row gets. */
function refuseCollision(router: MenuHost, change: Change): void {
  const { port, disabled } = change.after;
  if (disabled === "true") return;
  const taken = router
    .table("/ip/service")
    .items.some(
      (item) => item !== change.item && item.values.disabled === "false" && item.values.port === port,
    );
  if (taken) throw refusals.configuredElsewhere();
}

export const ipService: MenuFor = (features) => ({
  path: "/ip/service",
  nameField: "name",
  commands: [
    "print",
    "getall",
    "get",
    "listen",
    "set",
    "enable",
    "disable",
    ...(features.serviceUnset ? (["unset"] as const) : []),
  ],
  fields: fieldsOf(features),
  factory: FACTORY.filter(({ feature }) => feature === undefined || features[feature]).map((service) => ({
    id: service.id,
    values: factoryRow(service, features),
  })),
  liveRows: (router) =>
    features.dynamicServices
      ? router.connections.all.map((connection) => router.connections.item(connection))
      : [],
  computed(router, item) {
    if (item.dynamic) return {};
    const invalid = String(router.ports?.isInvalid(item.values.name as ServiceName) ?? false);
    return features.dynamicServices ? { proto: "tcp", dynamic: "false", invalid } : { invalid };
  },
  check(router, change) {
    dropTls(change);
    refuseUnknownCertificate(router, change);
    refuseCollision(router, change);
    return undefined;
  },
  applied: (router) => router.ports?.apply(),
});

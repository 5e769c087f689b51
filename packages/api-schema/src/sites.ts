import { z } from "zod";
import { isoTime, managementTransport, uuid } from "./fields.ts";

const name = z.string().trim().min(1, "must not be empty").max(100, "must be at most 100 characters");
const address = z.string().trim().min(1, "must not be empty").max(253, "must be at most 253 characters");
const port = z.int().min(1, "must be from 1 to 65535").max(65535, "must be from 1 to 65535");
const username = z.string().min(1, "must not be empty").max(100, "must be at most 100 characters");
const password = z.string().max(1000, "must be at most 1000 characters");
const tlsFingerprint = z
  .string()
  .regex(
    /^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i,
    "must be the SHA-256 fingerprint of the certificate, 64 hex digits",
  );

const metered = z
  .boolean()
  .describe(
    "Each byte to the router costs money: it is asked every 5 minutes whether it is there, and read every 6 hours",
  );

/** A login is only used once: to make a user of our own. It is then forgotten. */
export const siteInput = z
  .strictObject({
    name,
    address: address.describe("IP address or host name at which Portreeve reaches the router"),
    api_port: port.optional().describe("default 8728, or 8729 for api-ssl"),
    management_transport: managementTransport.default("api"),
    username,
    password,
    tls_fingerprint: tlsFingerprint
      .optional()
      .describe("With api-ssl: the certificate the router has. It is kept, and so is api-ssl"),
    metered: metered.default(false),
  })
  .refine((input) => input.management_transport === "api" || input.tls_fingerprint !== undefined, {
    path: ["tls_fingerprint"],
    message: "is required with api-ssl: the SHA-256 fingerprint of the router's certificate",
  })
  .meta({ id: "SiteInput" });
export type SiteInput = z.infer<typeof siteInput>;

export const sitePatch = z
  .strictObject({
    name: name.optional(),
    address: address.optional(),
    api_port: port.optional(),
    username: username.optional(),
    password: password.optional(),
    management_transport: managementTransport
      .optional()
      .describe("How the router is reached from now on, after it was reset or replaced"),
    tls_fingerprint: tlsFingerprint
      .nullable()
      .optional()
      .describe(
        "The certificate the router has now, to be kept; null: Portreeve makes its own where the policy wants one",
      ),
    metered: metered.optional(),
  })
  .refine((patch) => patch.management_transport !== "api-ssl" || typeof patch.tls_fingerprint === "string", {
    path: ["tls_fingerprint"],
    message: "is required with api-ssl: the SHA-256 fingerprint of the router's certificate",
  })
  .refine((patch) => patch.management_transport !== "api" || typeof patch.tls_fingerprint !== "string", {
    path: ["tls_fingerprint"],
    message: "can't be used with api",
  })
  .refine((patch) => (patch.username === undefined) === (patch.password === undefined), {
    path: ["password"],
    message: "username and password are given together",
  })
  .meta({ id: "SitePatch" });
export type SitePatch = z.infer<typeof sitePatch>;

export const SITE_STATUSES = ["pending", "online", "offline", "deleting"] as const;
export const SYNC_STATES = ["in_sync", "pending", "drifted", "failed", "needs_attention"] as const;

const siteCertificate = z
  .strictObject({
    name: z.string(),
    fingerprint: z.string(),
    not_after: isoTime,
    issuer: z.string(),
  })
  .meta({ id: "SiteCertificate" });

export const site = z
  .strictObject({
    id: uuid,
    name: z.string(),
    address: z.string(),
    api_port: z.int(),
    management_transport: managementTransport,
    tls_fingerprint: z.string().nullable().describe("On api-ssl: the certificate the router shows."),
    certificate: siteCertificate
      .nullable()
      .describe("That certificate, where Portreeve made it; null where it is the operator's."),
    management_address: z.string().nullable().describe("The address the router sees Portreeve come from."),
    status: z.enum(SITE_STATUSES),
    policy_id: uuid,
    identity: z.string().nullable(),
    model: z.string().nullable(),
    serial_number: z.string().nullable(),
    version: z.string().nullable(),
    last_seen_at: isoTime.nullable(),
    sync: z.strictObject({
      state: z.enum(SYNC_STATES),
      reason: z.string().nullable(),
      checked_at: isoTime.nullable(),
    }),
    metered: z.boolean().describe("The router is asked and read seldom, because each byte costs money."),
    traffic: z
      .strictObject({ bytes_sent: z.int(), bytes_received: z.int(), since: isoTime })
      .describe(
        "Bytes that Portreeve sent to the router and received from it, TCP's and IP's headers apart.",
      ),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "Site" });
export type Site = z.infer<typeof site>;

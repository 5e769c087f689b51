import ipaddr from "ipaddr.js";
import { z } from "zod";
import { documentTime, network, uuid } from "./fields.ts";

const minutes = z
  .int("must be a whole number of minutes")
  .min(1, "must be from 1 to 1440 minutes")
  .max(1440, "must be from 1 to 1440 minutes");

const bareAddress = z
  .string()
  .trim()
  .refine(
    (text) => ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes("%")),
    {
      message: "must be an IPv4 or IPv6 address such as 203.0.113.7",
    },
  )
  .transform((text) => ipaddr.process(text).toString());

const accessType = z.enum(["winbox", "ssh"]);

export const transientAccessInput = z
  .strictObject({
    expire_after_minutes: minutes,
    type: accessType,
    full_access: z.boolean(),
    allow_rfc1918: z.boolean(),
    allow_only_ip: bareAddress.nullable().optional(),
    allow_only_cidr: network.nullable().optional(),
    reason: z.string().trim().max(500, "must be at most 500 characters").nullable().optional(),
  })
  .meta({ id: "TransientAccessInput" });
export type TransientAccessInput = z.infer<typeof transientAccessInput>;

export const transientAccess = z
  .strictObject({
    id: uuid,
    username: z.string(),
    password: z.string().nullable(),
    port: z.int(),
    type: accessType,
    full_access: z.boolean(),
    allow_rfc1918: z.boolean(),
    config_committed_to_site: documentTime.nullable(),
    config_removed_from_site: z.boolean(),
    config_removed_from_mpac: z.boolean().describe("The gateway's listener is closed."),
    revoked_early: z.boolean(),
    allow_only_ip: z.string().nullable(),
    allow_only_cidr: z.string().nullable(),
    authorized_at: documentTime.nullable().describe("First connection the gateway let through."),
    expires_at: documentTime,
    expired: z.boolean(),
    entry_point: z.string(),
    time_to_expire: z.string().meta({ example: "59 minutes from now" }),
    reason: z.string().nullable(),
    warnings: z.array(z.string()).optional(),
  })
  .meta({ id: "TransientAccess" });
export type TransientAccess = z.infer<typeof transientAccess>;

import { z } from "zod";
import { listOf } from "./common.ts";
import { isoTime, uuid } from "./fields.ts";

const port = z.int("must be a port").min(1, "must be from 1 to 65535").max(65_535, "must be from 1 to 65535");

export const gatewayInput = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be 1 to 63 small letters, digits and hyphens"),
    entry_point: z
      .string()
      .regex(/^[A-Za-z0-9:.-]{1,253}$/, "must be a host name or an IP address")
      .describe("The host name or address people connect to."),
    first_port: port.default(40_000),
    last_port: port.default(49_999),
  })
  .refine(({ first_port, last_port }) => first_port <= last_port, {
    path: ["last_port"],
    error: "must not be below first_port",
  })
  .meta({ id: "GatewayInput" });
export type GatewayInput = z.infer<typeof gatewayInput>;

export const gateway = z
  .object({
    id: uuid,
    name: z.string(),
    entry_point: z.string(),
    first_port: z.int(),
    last_port: z.int(),
    connected: z.boolean().describe("Whether it has heard from the control plane within its lease."),
    grants: z.int().describe("Accesses whose port is there now."),
    created_at: isoTime,
    last_seen_at: isoTime.nullable(),
    restored_at: isoTime
      .nullable()
      .describe(
        "When the database was last found to be an older one than this gateway's journal; its open accesses were ended then.",
      ),
  })
  .meta({ id: "Gateway" });
export type Gateway = z.infer<typeof gateway>;

/** The only answer that ever carries the token itself. */
export const createdGateway = gateway
  .extend({ token: z.string().describe("Shown only once; Portreeve keeps only its SHA-256.") })
  .meta({ id: "CreatedGateway" });
export type CreatedGateway = z.infer<typeof createdGateway>;

export const gatewayList = listOf(gateway).meta({ id: "GatewayList" });
export type GatewayList = z.infer<typeof gatewayList>;

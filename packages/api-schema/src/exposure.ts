import { z } from "zod";
import { listOf } from "./common.ts";
import { isoTime, uuid } from "./fields.ts";
import { SERVICE_NAMES } from "./policies.ts";

export const PORT_STATES = ["open", "closes_at_once", "closed", "no_answer", "not_checked"] as const;
export const FINDINGS = ["open_against_policy", "open_as_policy_says"] as const;
export const SOFTWARE = ["routeros", "other", "unknown"] as const;

const exposedPort = z
  .strictObject({
    port: z.int(),
    service: z
      .enum(SERVICE_NAMES)
      .describe("The service of this port, by the policy or by RouterOS's default."),
    state: z
      .enum(PORT_STATES)
      .describe(
        "open: connects and stays, or answers. closes_at_once: connects and is closed without a byte, as the address " +
          "list of /ip/service makes it. closed: refused. no_answer: nothing came back. not_checked: see reason.",
      ),
    software: z.enum(SOFTWARE).nullable().describe("What answers on an open port."),
    version: z.string().nullable().describe("RouterOS's version where the answer told it."),
    answer: z.string().nullable().describe("The first line that came, without control characters."),
    finding: z.enum(FINDINGS).nullable().describe("Of an open port."),
    reason: z.string().describe("What the policy says of the port, or why it was not checked."),
  })
  .meta({ id: "ExposedPort" });

export const exposureCheck = z
  .strictObject({
    id: uuid,
    site_id: uuid,
    checked_at: isoTime,
    address: z.string().describe("The IP address that was looked at."),
    from_address: z.string().describe("The address the check came from, as far as Portreeve's host knows."),
    policy: z.strictObject({ id: uuid, name: z.string() }),
    answered: z.boolean().describe("false: no port answered, so nothing is known."),
    open_against_policy: z.int().describe("How many ports are open against the policy."),
    ports: z.array(exposedPort),
  })
  .meta({ id: "ExposureCheck" });
export type ExposureCheck = z.infer<typeof exposureCheck>;

export const exposureList = listOf(exposureCheck).meta({ id: "ExposureList" });

import { z } from "zod";
import { uuid } from "./fields.ts";

/** A login of ours on one router. `password` is null for a caller without the scope credentials:reveal. */
export const credential = z
  .strictObject({
    id: uuid,
    site_id: uuid,
    username: z.string(),
    password: z.string().nullable(),
    state: z.enum(["pending", "active", "retired"]),
    deleted_at: z.string().nullable().meta({ example: "2023-11-08T08:49:32.000000Z" }),
  })
  .meta({ id: "Credential" });
export type Credential = z.infer<typeof credential>;

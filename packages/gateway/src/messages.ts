/**
 * What gateway and control plane say to each other, one JSON object in each text frame of the WebSocket. The gateway
 * dials; whoever hears something of another form closes the connection.
 *
 *   gateway  hello ─────────────────> control    who it is, and what its journal remembers
 *            <──── welcome                       its fence, and whether the database was restored
 *            <──── open … open, listed           every grant it is to hold; what was not named is closed
 *            renew ────> <──── lease             every few seconds; the answer has been to the database
 *            <──── open, ready, close            one grant changed
 *            opened, failed, closed, report ──>  what became of it
 *            <──── recorded                      reports that stand in the database
 */
import { z } from "zod";
import { CLOSE_REASONS } from "./byte-path/types.ts";

/** Of the subprotocol; both sides must speak the same. */
export const PROTOCOL = "portreeve-gateway-1";

/** Longest frame either side takes, bytes: an `open` with its sources is below 2 KiB. */
export const MAX_FRAME_BYTES = 64 * 1024;

const grant = z.uuid();
/** Number of the gateway's lease on its grants. It grows with each process that takes them over. */
const fence = z.int().nonnegative();
const milliseconds = z.number();
const port = z.int().min(1).max(65_535);

const target = z.strictObject({
  host: z.union([z.ipv4(), z.ipv6()]),
  port,
  localAddress: z.union([z.ipv4(), z.ipv6()]).optional(),
});

const open = z.strictObject({
  type: z.literal("open"),
  grant,
  fence,
  /** Counts the grants of the database. */
  sequence: z.int().positive(),
  port,
  /** null: not known yet, or as it was. */
  target: target.nullable(),
  /** Networks that may connect, in CIDR notation. One that can't be read fails this grant and not the channel. */
  sources: z.array(z.string().max(50)).max(64),
  /** From now on, on a clock that only goes forward. */
  endsInMs: milliseconds,
  /** The same end by the database's clock, milliseconds since 1970. */
  endsAtMs: milliseconds,
  /** Whether the router's user is there. */
  ready: z.boolean(),
});

const toGateway = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("welcome"),
    fence,
    /** Names this database: PostgreSQL's system identifier and the database's number. */
    system: z.string().max(100),
    /** Highest sequence of a grant there. */
    sequence: z.int().nonnegative(),
    /** The database is not the one the journal remembers, or an older state of it. */
    restored: z.boolean(),
  }),
  z.strictObject({ type: z.literal("lease"), askedAtMs: milliseconds, databaseTimeMs: milliseconds }),
  open,
  z.strictObject({ type: z.literal("ready"), grant, fence }),
  z.strictObject({
    type: z.literal("close"),
    grant,
    fence,
    reason: z.enum(["revoked", "expired", "deleted"]),
    /** Comes back in the report, for the audit. */
    by: z.string().max(500).optional(),
  }),
  z.strictObject({ type: z.literal("listed") }),
  z.strictObject({ type: z.literal("recorded"), upTo: z.int().nonnegative() }),
]);
export type ToGateway = z.infer<typeof toGateway>;
export type OpenMessage = z.infer<typeof open>;

const source = z.string().max(100);
const count = z.number().nonnegative();

/** What happened to one connection. */
const connectionEvent = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("connected"), source }),
  z.strictObject({ kind: z.literal("refused"), source, reason: z.enum(["source", "limit", "not_ready"]) }),
  z.strictObject({
    kind: z.literal("disconnected"),
    source,
    bytesToRouter: count,
    bytesFromRouter: count,
    reason: z.string().max(50),
  }),
]);
export type ConnectionEvent = z.infer<typeof connectionEvent>;

const report = z.strictObject({
  type: z.literal("report"),
  /** Counts the reports of this process: one that comes twice is recorded once. */
  report: z.int().positive(),
  grant,
  fence,
  /** Live ones, now. */
  connections: count,
  /** Carried so far, both directions together. */
  bytes: count,
  event: connectionEvent.optional(),
  /** Not a byte passes any more. */
  closed: z.strictObject({ reason: z.enum(CLOSE_REASONS), by: z.string().max(500).optional() }).optional(),
});
export type Report = z.infer<typeof report>;

const toControl = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("hello"),
    /** One per start of the process. */
    instance: z.uuid(),
    journal: z.strictObject({
      id: z.uuid(),
      /** null: it has never served a database. */
      system: z.string().max(100).nullable(),
      sequence: z.int().nonnegative(),
    }),
  }),
  /** `sequence`: the highest our journal knows; the database must know it too. */
  z.strictObject({ type: z.literal("renew"), askedAtMs: milliseconds, sequence: z.int().nonnegative() }),
  z.strictObject({ type: z.literal("opened"), grant, fence }),
  z.strictObject({ type: z.literal("failed"), grant, fence, problem: z.string().max(500) }),
  /** Answers `close`: not a byte passes any more. `journaled` is false where the journal could not be written. */
  z.strictObject({ type: z.literal("closed"), grant, fence, journaled: z.boolean() }),
  report,
]);
export type ToControl = z.infer<typeof toControl>;

/**
 * @param frame text as it came
 * @throws SyntaxError or ZodError: not a message of this protocol
 */
export function parseToGateway(frame: string): ToGateway {
  return toGateway.parse(JSON.parse(frame));
}

/** @throws SyntaxError or ZodError: not a message of this protocol */
export function parseToControl(frame: string): ToControl {
  return toControl.parse(JSON.parse(frame));
}

/** The SQL of `members` and `bucket_leases`; the database's clock decides what has expired. */
import type pg from "pg";

type Client = Pick<pg.ClientBase, "query">;

export interface NewMember {
  readonly id: string;
  readonly host: string;
  readonly hostId: string | undefined;
  readonly pid: number;
  readonly applicationName: string;
  readonly address: string | undefined;
}

export interface MemberSeen {
  readonly id: string;
  readonly hostId: string | null;
  readonly pid: number;
  readonly hasExpired: boolean;
}

export interface Heartbeat {
  /** False: somebody has found us expired, and our leases are others'. */
  readonly isMember: boolean;
  /** Everybody, ourselves included where we are a member. */
  readonly members: readonly MemberSeen[];
  /** The database's clock, milliseconds since 1970. */
  readonly databaseTime: number;
}

/** Join, in the place of whatever the same process was before. */
export async function insertMember(client: Client, member: NewMember, leaseMs: number): Promise<void> {
  const { id, host, hostId, pid, applicationName, address } = member;
  await client.query(
    `with before as (delete from members where application_name = $5 returning id),
          freed as (update bucket_leases set holder = null where holder in (select id from before))
     insert into members (id, host, host_id, pid, application_name, address, until)
     values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond')`,
    [id, host, hostId ?? null, pid, applicationName, address ?? null, leaseMs],
  );
}

/** Renews all leases of a member, which are as good as its row, and shows who else there is, in one statement. */
export async function beat(client: Client, id: string, leaseMs: number): Promise<Heartbeat> {
  const { rows } = await client.query<{ renewed: boolean; time: number; members: MemberSeen[] }>({
    name: "member-heartbeat",
    text: `
      with renewed as (
        update members set heartbeat_at = now(), until = now() + $2 * interval '1 millisecond'
         where id = $1 returning id)
      select exists (select from renewed) as renewed,
             extract(epoch from now())::float8 * 1000 as time,
             coalesce((select json_agg(json_build_object(
               'id', id, 'hostId', host_id, 'pid', pid, 'hasExpired', until < now()))
               from members), '[]') as members`,
    values: [id, leaseMs],
  });
  const [row] = rows;
  if (!row) throw new Error("the database answered a heartbeat with nothing");
  return { isMember: row.renewed, members: row.members, databaseTime: row.time };
}

/**
 * End what members have: their rows, the database sessions of their processes, their leases. A process among them that
 * still lives finds its transactions dead and itself no member.
 * @param isCertain their processes are known to be gone; otherwise one that has renewed its leases meanwhile stays
 * @returns the ids of those that were ended
 */
export async function expel(client: Client, ids: readonly string[], isCertain: boolean): Promise<string[]> {
  await client.query("begin");
  try {
    const { rows } = await client.query<{ id: string; application_name: string }>(
      "delete from members where id = any($1::uuid[]) and ($2 or until < now()) returning id, application_name",
      [ids, isCertain],
    );
    const expelled = rows.map(({ id }) => id);
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = any($1) and pid <> pg_backend_pid()`,
      [rows.map((row) => row.application_name)],
    );
    await client.query("update bucket_leases set holder = null where holder = any($1::uuid[])", [expelled]);
    await client.query("commit");
    return expelled;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** End our own membership; nobody's sessions. */
export async function removeMember(client: Client, id: string): Promise<void> {
  await client.query(
    `with freed as (update bucket_leases set holder = null where holder = $1)
     delete from members where id = $1`,
    [id],
  );
}

/** Take those of the buckets that are free. One whose last holder's transaction has not ended is left for the next time. */
export async function takeBuckets(
  client: Client,
  holder: string,
  buckets: readonly number[],
): Promise<{ bucket: number; epoch: string }[]> {
  const { rows } = await client.query<{ bucket: number; epoch: string }>(
    `update bucket_leases set holder = $1, epoch = epoch + 1
      where bucket in (select bucket from bucket_leases where bucket = any($2::smallint[]) and holder is null
                          for update skip locked)
        and exists (select from members where id = $1)
    returning bucket, epoch`,
    [holder, buckets],
  );
  return rows;
}

export async function freeBuckets(client: Client, holder: string, buckets: readonly number[]): Promise<void> {
  await client.query(
    "update bucket_leases set holder = null where holder = $1 and bucket = any($2::smallint[])",
    [holder, buckets],
  );
}

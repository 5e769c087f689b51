/** Another live Portreeve works with this data directory. */
export class AlreadyRunningError extends Error {
  readonly code = "already-running";
  /** Its process id; undefined when it did not say (it is stopped or hangs). */
  readonly pid: number | undefined;
  constructor(dataDir: string, pid: number | undefined) {
    super(`Portreeve is already running on ${dataDir}${pid === undefined ? "" : `, pid ${pid}`}`);
    this.pid = pid;
  }
}

/** The data directory holds something this version cannot run. Nothing was changed. */
export class ClusterMismatchError extends Error {
  readonly code = "cluster-mismatch";
}

/** The embedded PostgreSQL cannot run on this machine or did not come up; the message says why. */
export class EmbeddedStartError extends Error {
  readonly code = "embedded-start";
}

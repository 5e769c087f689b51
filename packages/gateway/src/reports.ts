/** Reports on their way to the control plane: kept until it says that they stand in the database. */
import type { Report } from "./messages.ts";

/** Reports of connections kept while the control plane is away, about 300 bytes each. Those of closed grants are kept
 *  all: there are no more of them than there were grants. */
const MAX_CONNECTION_REPORTS = 10_000;

export type NewReport = Omit<Report, "type" | "report">;

export class Reports {
  #next = 1;
  readonly #unrecorded: Report[] = [];
  #connectionReports = 0;
  /** Reports of connections that were dropped because nobody took them. */
  dropped = 0;

  /** @returns the report as it is to be sent; undefined when it was dropped */
  add(report: NewReport): Report | undefined {
    if (report.closed === undefined && this.#connectionReports >= MAX_CONNECTION_REPORTS) {
      this.dropped++;
      return undefined;
    }
    if (report.closed === undefined) this.#connectionReports++;
    const numbered = { type: "report", report: this.#next++, ...report } as const;
    this.#unrecorded.push(numbered);
    return numbered;
  }

  /** Everything up to this number stands in the database. @returns what that is */
  recorded(upTo: number): readonly Report[] {
    // They are kept in order of their numbers.
    const first = this.#unrecorded.findIndex(({ report }) => report > upTo);
    const recorded = this.#unrecorded.splice(0, first === -1 ? this.#unrecorded.length : first);
    this.#connectionReports -= recorded.filter(({ closed }) => closed === undefined).length;
    return recorded;
  }

  /** To be sent again over a new connection. */
  get unrecorded(): readonly Report[] {
    return this.#unrecorded;
  }
}

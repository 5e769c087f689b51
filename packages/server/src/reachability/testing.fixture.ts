/** Routers as rows, for the tests of this folder. */
import type { Row } from "@portreeve/routeros";
import type { Observed } from "../reconcile/types.ts";

type Cells = Readonly<Record<string, string>>;

/** Rules of the input chain, unless they say otherwise. */
export function rules(...rows: Cells[]): Row[] {
  return rows.map((row, place) => ({
    ".id": `*${(place + 1).toString(16).toUpperCase()}`,
    chain: "input",
    ...row,
  }));
}

const PORTS: Readonly<Record<string, string>> = {
  telnet: "23",
  ftp: "21",
  www: "80",
  ssh: "22",
  "www-ssl": "443",
  api: "8728",
  winbox: "8291",
  "api-ssl": "8729",
};

/** The eight services, enabled and open to everybody, unless said otherwise. */
export function services(changes: Readonly<Record<string, Cells>> = {}): Row[] {
  return Object.entries(PORTS).map(([name, port], place) => ({
    ".id": `*${place}`,
    name,
    port,
    address: "",
    disabled: "false",
    ...changes[name],
  }));
}

interface Router {
  readonly filter?: Row[];
  readonly lists?: Cells[];
  readonly filter6?: Row[];
  readonly lists6?: Cells[];
  readonly services?: Row[];
}

export function router({ filter = [], lists = [], filter6 = [], lists6 = [], ...rest }: Router): Observed {
  const entries = (cells: Cells[]) => cells.map((row, place) => ({ ".id": `*${place}`, ...row }));
  return new Map<string, readonly Row[]>([
    ["/ip/service", rest.services ?? services()],
    ["/ip/firewall/filter", filter],
    ["/ip/firewall/address-list", entries(lists)],
    ["/ipv6/firewall/filter", filter6],
    ["/ipv6/firewall/address-list", entries(lists6)],
  ]);
}

import { present } from "../commands/index.ts";
import type { Router } from "../router.ts";
import type { Session } from "../sessions.ts";

export interface LineResult {
  /** With CR LF line ends, ready for the channel. */
  readonly output: string;
  readonly quit: boolean;
  readonly failed: boolean;
}

interface Column {
  readonly title: string;
  readonly field: string;
  readonly right?: boolean;
}

interface Flag {
  readonly letter: string;
  readonly meaning: string;
  readonly field: string;
}

type Rows = readonly Readonly<Record<string, string>>[];

const SERVICE_FLAGS: readonly Flag[] = [
  { letter: "D", meaning: "DYNAMIC", field: "dynamic" },
  { letter: "X", meaning: "DISABLED", field: "disabled" },
  { letter: "I", meaning: "INVALID", field: "invalid" },
  { letter: "c", meaning: "CONNECTION", field: "connection" },
];

/** The few commands of this console, by their words; everything else is refused. */
const COMMANDS: Readonly<Record<string, (router: Router) => string>> = {
  "system identity print": (router) => `  name: ${router.identity}\r\n\r\n`,
  "user active print": (router) =>
    listing(
      rowsOf(router, "/user/active"),
      [],
      [
        { title: "WHEN", field: "when" },
        { title: "NAME", field: "name" },
        { title: "ADDRESS", field: "address" },
        { title: "VIA", field: "via" },
      ],
    ),
  "ip service print": (router) =>
    listing(rowsOf(router, "/ip/service"), SERVICE_FLAGS, [
      { title: "NAME", field: "name" },
      { title: "PORT", field: "port", right: true },
      { title: "CERTIFICATE", field: "certificate" },
      { title: "VRF", field: "vrf" },
    ]),
};

const rowsOf = (router: Router, path: string): Rows => {
  const menu = router.table(path).menu;
  return router.items(menu).map((item) => present(router, menu, item));
};

/** A table as RouterOS 7 prints it: flags, columns, one numbered line per row. */
function listing(rows: Rows, flags: readonly Flag[], columns: readonly Column[]): string {
  if (rows.length === 0) return "";
  const lettersOf = (row: Rows[number]) =>
    flags.map(({ letter, field }) => (row[field] === "true" ? letter : "")).join("");
  const used = flags.filter(({ field }) => rows.some((row) => row[field] === "true"));
  const index: Column = { title: "#", field: "#" };
  const marks: Column[] = used.length > 0 ? [{ title: "", field: "flags" }] : [];
  const all = [index, ...marks, ...columns];
  const cells = rows.map((row, number): Rows[number] => ({
    ...row,
    "#": String(number),
    flags: lettersOf(row),
  }));
  const lines = [
    all.map(({ title }) => title),
    ...cells.map((row) => all.map(({ field }) => row[field] ?? "")),
  ];
  const widths = all.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const padded = lines.map((line) =>
    line
      .map((cell, at) => (all[at]?.right ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const legend = used.map(({ letter, meaning }) => `${letter} - ${meaning}`).join(", ");
  const head = legend === "" ? [] : [`Flags: ${legend}`];
  const names = `Columns: ${columns.map(({ title }) => title).join(", ")}`;
  return [...head, names, ...padded, ""].join("\r\n");
}

/** Run one console line. Words may be separated by spaces or slashes: `/system identity print`, `/system/identity/print`. */
export function runLine(router: Router, session: Session, line: string): LineResult {
  const words = [...line.matchAll(/[^\s/]+/g)].map((match) => ({ text: match[0], column: match.index + 1 }));
  const spelt = words.map(({ text }) => text).join(" ");
  if (spelt === "") return { output: "", quit: false, failed: false };
  if (spelt === "quit") return { output: "", quit: true, failed: false };
  const command = COMMANDS[spelt];
  if (!command) return { output: `${badCommand(words)}\r\n`, quit: false, failed: true };
  if (!session.policies.has("read")) {
    return { output: "not enough permissions (9)\r\n", quit: false, failed: true };
  }
  return { output: command(router), quit: false, failed: false };
}

/** Names the first word that begins no command, or the last one where a command is cut short. */
function badCommand(words: readonly { text: string; column: number }[]): string {
  const known = Object.keys(COMMANDS).map((command) => command.split(" "));
  const fits = (length: number) =>
    known.some((command) => words.slice(0, length).every(({ text }, at) => command[at] === text));
  const wrong = words.find((_, at) => !fits(at + 1)) ?? words.at(-1);
  return `bad command name ${wrong?.text} (line 1 column ${wrong?.column})`;
}

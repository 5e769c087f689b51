import type { Menu } from "../menus/menu.ts";

type Row = Readonly<Record<string, string>>;

interface Flag {
  readonly letter: string;
  readonly field: string;
}

/** Letters in front of a row. Source: flags in printed samples of the manual. */
const FLAGS: readonly Flag[] = [
  { letter: "D", field: "dynamic" },
  { letter: "X", field: "disabled" },
  { letter: "I", field: "invalid" },
  { letter: "c", field: "connection" },
];

interface Column {
  readonly field: string;
  readonly right?: boolean;
}

const columns = (fields: string): readonly Column[] =>
  fields.split(" ").map((field) => ({ field: field.replace(">", ""), right: field.endsWith(">") }));

/** Columns of the short form; menus without are printed with all their properties, as `detail` does. `>`: right. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  "/user/active": columns("when name address via"),
  "/user": columns("name group address last-logged-in"),
  "/ip/service": columns("name port> certificate vrf"),
  "/system/scheduler": columns("name start-date start-time interval on-event run-count>"),
  "/system/script/job": columns("script started"),
  "/system/script/environment": columns("name value"),
  "/file": columns("name type size last-modified"),
  "/ip/firewall/address-list": columns("list address creation-time timeout"),
  "/log": columns("time topics message"),
};

/** What the console prints for rows of a menu; lines end with LF. */
export function printed(menu: Menu, rows: readonly Row[], has: (option: string) => boolean): string {
  if (menu.singleton) return singleton(rows[0] ?? {});
  const short = COLUMNS[menu.path];
  if (has("value-list")) return rows.map(singleton).join("");
  if (has("terse")) return rows.map((row, at) => `${at} ${words(row, false)}\n`).join("");
  return has("detail") || !short ? detail(rows) : listing(rows, short);
}

function singleton(row: Row): string {
  const shown = Object.entries(row).filter(([name]) => name !== ".id");
  const width = Math.max(0, ...shown.map(([name]) => name.length)) + 2;
  return `${shown.map(([name, value]) => `${name.padStart(width)}: ${value}\n`).join("")}\n`;
}

const lettersOf = (row: Row): string =>
  FLAGS.map(({ letter, field }) => (row[field] === "true" ? letter : "")).join("");

function legend(rows: readonly Row[]): readonly string[] {
  const used = FLAGS.filter(({ field }) => rows.some((row) => row[field] === "true"));
  const words = used.map(({ letter, field }) => `${letter} - ${field.toUpperCase()}`);
  return words.length === 0 ? [] : [`Flags: ${words.join(", ")}`];
}

/** Values of unknown shape are quoted, as `detail` prints texts. */
function words(row: Row, quote: boolean): string {
  const hidden = [".id", "comment", ...FLAGS.map(({ field }) => field)];
  return Object.entries(row)
    .filter(([name]) => !hidden.includes(name))
    .map(([name, value]) => `${name}=${quote && !/^[\w.:/*-]+$/.test(value) ? `"${value}"` : value}`)
    .join(" ");
}

function detail(rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const lines = rows.flatMap((row, at) => {
    const head = `${String(at).padStart(2)} ${lettersOf(row).padEnd(3)} `;
    const comment = row.comment === undefined ? [] : [`${head};;; ${row.comment}`];
    const indent = comment.length > 0 ? " ".repeat(head.length) : head;
    return [...comment, `${indent}${words(row, true)}`, ""];
  });
  return `${[...legend(rows), ...lines].join("\n")}\n`;
}

/** A table as RouterOS 7 prints it: flags, columns, one numbered line per row, a comment above its row. */
function listing(rows: readonly Row[], shown: readonly Column[]): string {
  if (rows.length === 0) return "";
  const flags = legend(rows);
  const all = [{ field: "#" }, ...(flags.length > 0 ? [{ field: "flags" }] : []), ...shown] as Column[];
  const cells = rows.map((row, at): Row => ({ ...row, "#": String(at), flags: lettersOf(row) }));
  const title = ({ field }: Column) => (field === "flags" ? "" : field.toUpperCase());
  const lines = [all.map(title), ...cells.map((row) => all.map(({ field }) => row[field] ?? ""))];
  const widths = all.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, at) => (all[at]?.right ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const [heading = "", ...body] = text;
  const commented = body.flatMap((line, at) => {
    const comment = rows[at]?.comment;
    return comment === undefined ? [line] : [`;;; ${comment}`, line];
  });
  const names = `Columns: ${shown.map(title).join(", ")}`;
  return `${[...flags, names, heading, ...commented].join("\n")}\n`;
}

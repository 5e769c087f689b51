import { bytesText, wordBytes } from "../api/words.ts";
import { contentsOf, fileName, sizeOf } from "../files.ts";
import { refusals } from "../refusal.ts";
import { integer, oneOf, text } from "../values.ts";
import type { MenuFor, OwnCommand } from "./menu.ts";

/** Contents of larger files have no value, bytes: "just under 60 KiB", and about 4 KB on RouterOS 6. */
const READABLE = { version7: 60 * 1024 - 1, version6: 4096 };

/** Source: manual, "Files" and "REST API"; `chunk-size` 1..32768. */
const read: OwnCommand = {
  arguments: ["file", "offset", "chunk-size", "as-value"],
  flags: ["as-value"],
  policy: ["read", "ftp", "test"],
  run(router, given, _items, { row }) {
    if (given.file === undefined) throw refusals.missing("file");
    const item = router.files.find(given.file);
    if (!item || item.values.type === "directory") throw refusals.noItem();
    const size = Number(integer(1, 32_768).read(given["chunk-size"] ?? "32768", "chunk-size"));
    const offset = Number(integer(0, 2 ** 32 - 1).read(given.offset ?? "0", "offset"));
    const bytes = Buffer.from(wordBytes(contentsOf(item)));
    if (offset > bytes.length) throw refusals.failure("chunk out of file bounds");
    row({ data: bytesText(bytes.subarray(offset, offset + size)) });
  },
};

export const file: MenuFor = (features) => ({
  path: "/file",
  nameField: "name",
  policy: ["ftp"],
  commands: [
    "print",
    "getall",
    "get",
    "listen",
    ...(features.version7 ? (["add"] as const) : []),
    "set",
    "remove",
  ],
  fields: {
    name: { type: text, required: true },
    type: { type: features.fileType ? oneOf(["directory", "file"]) : text, readOnly: !features.fileType },
    size: { type: text, readOnly: true },
    [features.lastModified ? "last-modified" : "creation-time"]: { type: text, readOnly: true },
    contents: { type: text },
  },
  unique: { fields: ["name"], refusal: "already have such name" },
  computed(router, item): Record<string, string> {
    const time = { [features.lastModified ? "last-modified" : "creation-time"]: item.values.modified ?? "" };
    if (item.values.type === "directory") return time;
    const size = sizeOf(item);
    const limit = router.features.version7 ? READABLE.version7 : READABLE.version6;
    return { ...time, size: String(size), ...(size <= limit ? { contents: contentsOf(item) } : {}) };
  },
  check(router, { command, before, after, given }) {
    if (command === "remove") return undefined;
    after.name = fileName(after.name ?? "");
    if (after.name === "") throw refusals.invalidValue("name");
    if (given.contents !== undefined) {
      router.files.requireRoom(Buffer.byteLength(wordBytes(given.contents)));
      after.stored = given.contents;
    }
    delete after.contents;
    if (given.type === undefined && before.type === "directory") after.type = "directory";
    router.files.describe(after);
    return undefined;
  },
  applied(router, change) {
    if (change.command === "remove") router.files.removeInside(change.before.name ?? "");
  },
  ...(features.fileRead ? { own: { read } } : {}),
});

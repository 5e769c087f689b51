import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { portalRoot } from "./index.ts";

const files = readdirSync(portalRoot);
const text = (file: string) => readFileSync(join(portalRoot, file), "utf8");
const scripts = files.filter((file) => file.endsWith(".js"));
const page = text("index.html");

const { parseDocumentTime, timeAgo, timeLeft } = await import(join(portalRoot, "time.js"));
const { printable } = await import(join(portalRoot, "dom.js"));
const { Problem } = await import(join(portalRoot, "api.js"));

test("the page runs under a content security policy without anything inline", () => {
  expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/);
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
});

test("everything the page and its modules name is there, and nothing comes from elsewhere", () => {
  const named = [...page.matchAll(/(?:src|href)="\/([\w.-]+\.\w+)"/g)].map(([, file]) => file);
  for (const script of scripts) {
    named.push(...[...text(script).matchAll(/from "\.\/([\w.-]+)"/g)].map(([, file]) => file));
  }
  expect(new Set(named)).toEqual(new Set(files.filter((file) => file !== "index.html")));
  for (const file of files) expect(text(file)).not.toMatch(/(?:src|href|from|url\()\s*=?\s*["'(]?https?:/);
});

test.each(scripts)("%s never makes markup out of text", (script) => {
  expect(text(script)).not.toMatch(
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b/,
  );
});

test("every element a module asks for by id is in the page", () => {
  const asked = scripts.flatMap((script) => [...text(script).matchAll(/(?:element|copyOf)\("([\w-]+)"\)/g)]);
  const missing = asked.map(([, id]) => id).filter((id) => !page.includes(`id="${id}"`));
  expect(asked.length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});

test("times of the control-plane API are read as UTC", () => {
  expect(parseDocumentTime("08 Nov 2023 20:58:36")).toBe(Date.UTC(2023, 10, 8, 20, 58, 36));
  for (const other of [null, false, "2023-11-08T20:58:36Z", "08 Foo 2023 20:58:36"]) {
    expect(parseDocumentTime(other)).toBeUndefined();
  }
});

test.each([
  [3_600_000 + 5 * 60_000, "1 h 05 min"],
  [12 * 60_000 + 8_000, "12 min 08 s"],
  [44_001, "45 s"],
  [0, "ended"],
  [-5_000, "ended"],
])("%i ms left reads %s", (ms, words) => {
  expect(timeLeft(ms)).toBe(words);
});

test.each([
  [-3_000, "just now"],
  [40_000, "40 s ago"],
  [3_599_000, "59 min ago"],
  [3 * 86_400_000, "3 d ago"],
])("%i ms ago reads %s", (ms, words) => {
  expect(timeAgo(ms)).toBe(words);
});

test("what would be unseen or turn a line around is shown as its code, and line breaks stay", () => {
  expect(printable("red \u001b[31m,\r zero\u0000\nnext \u202eline, é <b>")).toBe(
    "red \\x1b[31m,\\x0d zero\\x00\nnext \\u{202e}line, é <b>",
  );
});

test("a problem is told in its own words, and a wordless one by its status", () => {
  const problem = new Problem(422, {
    title: "The request is not valid",
    detail: "reason: is too long.",
    errors: { reason: ["is too long"] },
  });
  expect(problem.message).toBe("The request is not valid. Reason: is too long.");
  expect(problem.fields).toEqual({ reason: ["is too long"] });
  expect(new Problem(502, undefined).message).toBe("The server answered 502");
});

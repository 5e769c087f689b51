import { encodeSentence } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { firstLine, PROTOCOLS } from "./protocols.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const sentence = (...words: string[]) => Buffer.from(encodeSentence(words));
const page = (body: string) =>
  bytes(`HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>${body}</html>`);
const routeros = (version: string | null = null) => ({ software: "routeros", version });
const other = { software: "other", version: null };
const unknown = { software: "unknown", version: null };

test.each([
  ["ssh", bytes("SSH-2.0-ROSSSH\r\n"), routeros()],
  ["ssh", bytes("Keep out\r\nSSH-2.0-ROSSSH\r\n"), routeros()],
  ["ssh", bytes("SSH-2.0-OpenSSH_9.6p1 Debian-3\r\n"), other],
  ["ssh", bytes("SSH-2.0-ROSSSHD_1.0\r\n"), other],
  ["ssh", bytes("HTTP/1.1 400 Bad Request\r\n"), unknown],
  ["ftp", bytes("220 MikroTik FTP server (MikroTik 6.49.17) ready\r\n"), routeros("6.49.17")],
  ["ftp", bytes("220 tower ridge FTP server (MikroTik 7.20.7) ready\r\n"), routeros("7.20.7")],
  ["ftp", bytes("220 (vsFTPd 3.0.5)\r\n"), other],
  ["telnet", bytes("\xff\xfb\x01\xff\xfd\x1fMikroTik v6.34.6 (bugfix)\r\nLogin: "), routeros("6.34.6")],
  ["telnet", bytes("\xff\xfd\x18\xff\xfd\x20debian login: "), other],
  ["telnet", bytes("welcome"), unknown],
  [
    "http",
    page("<title>RouterOS router configuration page</title><h1>RouterOS v6.48</h1>"),
    routeros("6.48"),
  ],
  ["http", page('<form id="login"><input id="name" data-defaultuser="admin">'), routeros()],
  ["https", page('<img src="mikrotik_logo.png">'), routeros()],
  ["http", page("<title>Welcome to nginx!</title>"), other],
  ["http", bytes("\x15\x03\x01"), unknown],
  ["api", sentence("!done", "=ret=ebddd18303a54111e2dea05a92ab46b4"), routeros()],
  ["api_ssl", sentence("!fatal", "not logged in"), routeros()],
  ["api", sentence("!trap", "=message=anything"), routeros()],
  ["api", sentence("/login"), other],
  ["api", bytes("\xff\xfb\x01login: "), other],
  ["api", bytes("\x05!do"), unknown],
  ["api", bytes(""), unknown],
  ["winbox", bytes("anything at all"), unknown],
] as const)("%s is told by its answer, %#", (service, answer, recognition) => {
  expect(PROTOCOLS[service].recognise(answer)).toEqual(recognition);
});

test("an answer is waited for until it can tell no more", () => {
  const isComplete = (service: keyof typeof PROTOCOLS, text: string) =>
    PROTOCOLS[service].isComplete(bytes(text));

  expect(["SSH-2.0-ROS", "SSH-2.0-ROSSSH\r\n"].map((text) => isComplete("ssh", text))).toEqual([false, true]);
  expect(["\xff\xfb\x01Mik", "MikroTik v7\r\nLogin: "].map((text) => isComplete("telnet", text))).toEqual([
    false,
    true,
  ]);
  expect(["HTTP/1.0 200 OK\r\n\r\n<title>", "</HTML>"].map((text) => isComplete("http", text))).toEqual([
    false,
    true,
  ]);
  expect(["\x05!do", "\x05!done\x00"].map((text) => isComplete("api", text))).toEqual([false, true]);
  expect(isComplete("winbox", "x".repeat(8000))).toBe(false);
});

test("the API is asked for a challenge: a name or a password is never sent", () => {
  const asked = Buffer.from(PROTOCOLS.api.greeting?.("192.0.2.1") ?? []);

  expect(asked.toString("latin1")).toBe("\x06/login\x00");
});

test("the first line of an answer is shown without telnet's negotiation", () => {
  expect(firstLine("telnet", bytes("\xff\xfb\x01\xff\xfd\x1f\r\nMikroTik v7.1\r\nLogin: "))).toBe(
    "MikroTik v7.1",
  );
  expect(firstLine("ftp", bytes("220 ready\r\n221 bye"))).toBe("220 ready");
  expect(firstLine("api", sentence("!done", "=ret=00"))).toBe("!done");
  expect(firstLine("api", bytes("SSH-2.0-x"))).toBe("");
  expect(firstLine("winbox", bytes(""))).toBe("");
});

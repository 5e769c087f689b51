import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RawClient } from "./testing/raw-client.ts";
import { startRouter, trapOf } from "./testing/scripts.ts";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly from: string | undefined;
}

let server: Server;
let base = "";
let seen: Seen[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "", "http://x");
  if (pathname === "/missing") response.writeHead(404).end("gone");
  else if (pathname === "/long") response.end("x".repeat(70_000));
  else if (pathname.startsWith("/hop")) {
    const left = Number(pathname.slice(4));
    response.writeHead(302, { Location: left > 1 ? `/hop${left - 1}` : "/job.rsc" }).end();
  } else response.writeHead(200, { "X-Job": "7" }).end(`:put "from the server"\n`);
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers, socket } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString(), from: socket.remoteAddress });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test("a fetch over the API tells its progress in numbered sections and leaves a file", async () => {
  await using on = await startRouter({ version: "7.20" });
  seen = [];
  const rows = await on.client.rows("/tool/fetch", `=url=${base}/job.rsc`);
  expect(rows[0]).toEqual({ status: "connecting", ".section": "0" });
  expect(rows.map((row) => row[".section"])).toEqual(rows.map((_, at) => String(at)));
  expect(rows.at(-1)).toMatchObject({ status: "finished", downloaded: "1", total: "1", duration: "1s" });
  expect(seen).toMatchObject([
    { method: "GET", url: "/job.rsc", headers: { "user-agent": "RouterOS 7.20" } },
  ]);
  expect(on.router.control.rows("/file")).toMatchObject([
    { name: "job.rsc", type: "script", contents: ':put "from the server"\n' },
  ]);
});

test("a script posts with headers, reads the answer as a value, and imports what it fetched", async () => {
  await using on = await startRouter();
  seen = [];
  const printed = await on.script(`
    :local answer [/tool fetch url="${base}/job.rsc" http-method=post http-data="{\\"a\\":1}" \\
      http-header-field="Content-Type: application/json,X-List: a\\\\,b" output=user as-value]
    :put ($answer->"status")
    :put ($answer->"data")
    /tool fetch url="${base}/job.rsc" dst-path="in/job.rsc"
    /import in/job.rsc
  `);
  expect(printed).toContain('finished\n:put "from the server"\n');
  expect(printed.endsWith("from the server\n")).toBe(true);
  expect(seen[0]).toMatchObject({
    method: "POST",
    body: '{"a":1}',
    headers: { "content-type": "application/json", "x-list": "a,b" },
  });
});

test("data without a Content-Type goes as a form, and headers are answered where they are asked for", async () => {
  await using on = await startRouter();
  seen = [];
  const rows = await on.client.rows(
    "/tool/fetch",
    `=url=${base}/x`,
    "=http-data=a=1",
    "=output=user-with-headers",
  );
  expect(seen[0]).toMatchObject({
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  expect(rows.at(-1)?.["http-headers"]).toContain("X-Job: 7");
});

test("what is too long for a variable is cut without a word", async () => {
  await using on = await startRouter();
  const rows = await on.client.rows("/tool/fetch", `=url=${base}/long`, "=output=user");
  expect(rows.at(-1)?.data).toHaveLength(64_512);
  const withHeaders = await on.client.rows("/tool/fetch", `=url=${base}/long`, "=output=user-with-headers");
  expect(withHeaders.at(-1)?.data).toHaveLength(20_480);
});

test("a status from 400 on is an error that a script can catch", async () => {
  await using on = await startRouter();
  expect(trapOf(await on.client.run("/tool/fetch", `=url=${base}/missing`))).toBe(
    "failure: Status 404, Not Found",
  );
  const source = `:onerror e in={ /tool fetch url="${base}/missing" output=none } do={ :put $e }`;
  expect(await on.script(source)).toBe("failure: Status 404, Not Found\n");
  expect(on.router.control.rows("/file")).toEqual([]);
});

test("two redirects are followed by default from 7.18, none before", async () => {
  await using on = await startRouter({ version: "7.18" });
  const fetch = (path: string, ...words: string[]) =>
    on.client.run("/tool/fetch", `=url=${base}${path}`, "=output=none", ...words);
  expect(trapOf(await fetch("/hop2"))).toBeUndefined();
  expect(trapOf(await fetch("/hop3"))).toBe("failure: Status 302, Found");
  expect(trapOf(await fetch("/hop3", "=http-max-redirect-count=3"))).toBeUndefined();
  await using older = await startRouter({ version: "7.17" });
  const old = await older.client.run("/tool/fetch", `=url=${base}/hop1`, "=output=none");
  expect(trapOf(old)).toBe("failure: Status 302, Found");
});

test("the router's own address is the source of its requests", async () => {
  await using on = await startRouter({ address: "127.0.0.1" });
  seen = [];
  await on.client.run("/tool/fetch", `=url=${base}/x`, "=output=none");
  expect(seen[0]?.from).toBe("127.0.0.1");
});

test.each([
  ["ftp://127.0.0.1/x", "failure: the emulator does not do fetch over ftp"],
  ["http://", "invalid value for argument url"],
])("%s is refused", async (url, message) => {
  await using on = await startRouter();
  expect(trapOf(await on.client.run("/tool/fetch", `=url=${url}`))).toBe(message);
});

test("a fetch needs the policy test, and ftp where it leaves a file", async () => {
  await using on = await startRouter({ users: [{ name: "r", password: "p", group: "read" }] });
  using reader = await RawClient.login(on.router.port("api"), { username: "r", password: "p" });
  expect(trapOf(await reader.run("/tool/fetch", `=url=${base}/x`))).toBe("not enough permissions (9)");
  expect(trapOf(await reader.run("/tool/fetch", `=url=${base}/x`, "=output=none"))).toBeUndefined();
});

test("nobody listening is a failure, not a silence", async () => {
  await using on = await startRouter();
  expect(trapOf(await on.client.run("/tool/fetch", "=url=http://127.0.0.1:9/"))).toBe(
    "failure: connection refused",
  );
});

test("a schedule fetches its jobs", async () => {
  await using on = await startRouter();
  seen = [];
  await on.script(`
    /system script add name=poll policy=ftp,read,write,test source={
      :do {
        :local job [/tool fetch url="${base}/poll" output=user as-value]
        /log info ("got " . [:len ($job->"data")])
      } on-error={ /log error "no answer" }
    }
    /system scheduler add name=poll interval=30s on-event=poll policy=ftp,read,write,test
  `);
  await on.router.control.advanceClock(90_000);
  expect(seen).toHaveLength(3);
  const lines = on.router.control.rows("/log").filter(({ topics }) => topics === "script,info");
  expect(lines.map(({ message }) => message)).toEqual(["got 23", "got 23", "got 23"]);
});

test("a certificate is checked against the authorities the router trusts, where it is told to check", async () => {
  await using on = await startRouter({ version: "7.20" });
  const { client } = on;
  const usage = "=key-usage=digital-signature,key-encipherment,tls-server";
  await client.run(
    "/certificate/add",
    "=name=ca",
    "=common-name=ca",
    "=key-size=prime256v1",
    "=key-usage=key-cert-sign,crl-sign",
  );
  await client.run("/certificate/sign", "=number=ca");
  await client.run(
    "/certificate/add",
    "=name=web",
    "=common-name=web",
    "=key-size=prime256v1",
    "=subject-alt-name=IP:127.0.0.1",
    usage,
  );
  await client.run("/certificate/sign", "=number=web", "=ca=ca");
  await client.run(
    "/certificate/export-certificate",
    "=.id=web",
    "=file-name=web",
    "=export-passphrase=12345678",
  );
  const file = (name: string) =>
    on.router.control.rows("/file").find((row) => row.name === name)?.contents ?? "";
  const tls = createTlsServer(
    { cert: file("web.crt"), key: file("web.key"), passphrase: "12345678" },
    (_request, response) => response.end("over TLS"),
  );
  await new Promise<void>((resolve) => tls.listen(0, "127.0.0.1", resolve));
  try {
    const url = `=url=https://127.0.0.1:${(tls.address() as AddressInfo).port}/`;
    const fetched = async (from: typeof on, check: string) =>
      from.client.run("/tool/fetch", url, "=output=user", `=check-certificate=${check}`);
    expect((await fetched(on, "yes")).flat()).toContain("=data=over TLS");
    await using untrusting = await startRouter({ version: "7.20" });
    expect(trapOf(await fetched(untrusting, "yes"))).toMatch(/^failure: /);
    expect((await fetched(untrusting, "no")).flat()).toContain("=data=over TLS");
  } finally {
    tls.closeAllConnections();
    tls.close();
  }
});

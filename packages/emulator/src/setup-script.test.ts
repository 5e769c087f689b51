/** A set-up script as administrators write them for real routers, unchanged: over SSH and through /import, on RouterOS 6 and 7. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { RawClient } from "./testing/raw-client.ts";
import { startRouter, type TestRouter } from "./testing/scripts.ts";
import { connectSsh, sftpOf, writeFile } from "./testing/ssh-client.ts";

const VERSIONS = ["6.49.17", "7.9", "7.16", "7.24"];
const MINUTE = 60_000;

const requests: string[] = [];
const server = createServer((request, response) => {
  requests.push(`${request.method} ${request.url} ${request.headers["user-agent"]}`);
  response.end("ok");
});
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
beforeEach(() => {
  requests.length = 0;
});
afterAll(() => server.close());

/** RouterOS 6 and 7 alike: paths with spaces, one command a line, lines that continue in the next. */
const script = (url: string) => `# Prepare a customer's router. Run as often as you like.
:local noc "noc"
:local list "127.0.0.0/8"

/user
:if ([:len [find where name=$noc]] = 0) do={
  add name=$noc group=full password="pa ss\\$word\\"1" comment="made by prepare.rsc"
} else={
  set [find name=$noc] group=full
}

/ip service
set telnet,ftp disabled=yes
set [find name=winbox] address="$list,192.0.2.0/24"

# Let the NOC in, in front of the rule that drops the rest.
/ip firewall filter
remove [find where comment="noc: api"]
add action=accept chain=input comment="noc: api" connection-state=new \\
    dst-port=[/ip service get api port] protocol=tcp src-address=$list \\
    place-before=[find where comment="drop the rest"]

/system script remove [find name=phone-home]
/system script add name=phone-home policy=read,test source={
  :local name [/system identity get name]
  /tool fetch url=("${url}\\?router=" . $name) keep-result=no
}
/system scheduler remove [find name=phone-home]
/system scheduler add name=phone-home interval=1m on-event=phone-home \\
    policy=read,test comment="every minute"
:log info "prepared by $noc"
:put "prepared"
`;

/** A router whose firewall lets SSH in and drops the rest, as the default configuration does to the outside. */
async function start(version: string): Promise<TestRouter> {
  const on = await startRouter({
    version,
    identity: "gw-7",
    ports: { api: 0, ssh: 0, telnet: 0, ftp: 0, winbox: 0 },
    listen: ["api", "ssh", "telnet"],
  });
  const { control } = on.router;
  const rules = [
    { chain: "input", "connection-state": "established,related", comment: "open ones" },
    { chain: "input", protocol: "tcp", "dst-port": String(on.router.port("ssh")), comment: "ssh" },
    { chain: "input", action: "drop", comment: "drop the rest" },
  ];
  for (const rule of rules) await control.addRow("/ip/firewall/filter", rule);
  return on;
}

const urlOf = (version: string) => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hello`;
  // RouterOS 6 asks for help at a question mark and has it escaped; RouterOS 7 knows no such escape.
  return { url, text: version.startsWith("6") ? script(url) : script(url).replace("\\?", "?") };
};

/** What the script has made of the router, and what comes of it. */
async function expectPrepared(on: TestRouter, version: string): Promise<void> {
  const { control } = on.router;
  const comments = () => control.rows("/ip/firewall/filter").map(({ comment }) => comment);
  expect(comments()).toEqual(["open ones", "ssh", "noc: api", "drop the rest"]);
  const services = control.rows("/ip/service").filter(({ dynamic }) => dynamic !== "true");
  const serviceOf = (name: string) => services.find((row) => row.name === name);
  expect([serviceOf("telnet")?.disabled, serviceOf("ftp")?.disabled]).toEqual(["true", "true"]);
  const { address, "available-from": from } = serviceOf("winbox") ?? {};
  expect(from ?? address).toBe("127.0.0.0/8,192.0.2.0/24");
  expect(control.rows("/log").some(({ message }) => message === "prepared by noc")).toBe(true);
  // The new user comes in by the rule in front of the drop, with a password of odd characters.
  const noc = { username: "noc", password: 'pa ss$word"1' };
  using client = await RawClient.login(on.router.port("api"), noc);
  expect(await client.rows("/system/identity/print")).toEqual([{ name: "gw-7" }]);
  // The scheduler runs, and what it fetches arrives.
  await control.advanceClock(MINUTE);
  await expect.poll(() => requests).toEqual([`GET /hello?router=gw-7 RouterOS ${version}`]);
  await control.advanceClock(2 * MINUTE);
  await expect.poll(() => requests.length).toBe(3);
  expect(control.rows("/system/scheduler")).toMatchObject([{ name: "phone-home", "run-count": "3" }]);
}

async function overSsh(on: TestRouter, command: string): Promise<string> {
  const client = await connectSsh(on.router);
  const channel = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    client.exec(command, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
  let said = "";
  channel.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(channel, "close");
  client.end();
  return said;
}

test.each(VERSIONS)("a set-up script prepares RouterOS %s over SSH, twice without harm", async (version) => {
  await using on = await start(version);
  const { text } = urlOf(version);
  // Whole files are given to the console inside braces, so that their variables live from line to line.
  for (let time = 1; time <= 2; time += 1) expect(await overSsh(on, `{\n${text}}`)).toBe("prepared\r\n");
  await expectPrepared(on, version);
});

test.each(VERSIONS)("a set-up script prepares RouterOS %s through /import", async (version) => {
  await using on = await start(version);
  const client = await connectSsh(on.router);
  await writeFile(await sftpOf(client), "prepare.rsc", urlOf(version).text.replaceAll("\n", "\r\n"));
  client.end();
  expect(await overSsh(on, "/import file-name=prepare.rsc")).toBe("prepared\r\n");
  await expectPrepared(on, version);
});

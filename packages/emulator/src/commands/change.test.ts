import { encodeSentence } from "@portreeve/routeros";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

const FILTER = "/ip/firewall/filter";
let router: Emulator;
let client: RawClient;

beforeEach(async () => {
  router = await startEmulator({ ports: FREE_PORTS, version: "7.22" });
  client = await RawClient.login(router.port("api"));
});
afterEach(async () => {
  client.close();
  await router.close();
});

const chains = async () => (await client.rows(`${FILTER}/print`)).map(({ comment }) => comment);

async function addRule(comment: string, ...words: string[]): Promise<string> {
  const [reply] = await client.run(`${FILTER}/add`, "=chain=input", `=comment=${comment}`, ...words);
  return reply?.[1]?.slice("=ret=".length) ?? "";
}

test("add answers the new row's id in !done, defaults filled in", async () => {
  const reply = await client.run(`${FILTER}/add`, "=chain=input", "=protocol=tcp", "=dst-port=8728,8729");
  expect(reply).toEqual([["!done", "=ret=*1"]]);
  expect(await client.rows(`${FILTER}/print`)).toEqual([
    {
      ".id": "*1",
      chain: "input",
      action: "accept",
      protocol: "tcp",
      "dst-port": "8728,8729",
      log: "false",
      "log-prefix": "",
      bytes: "0",
      packets: "0",
      invalid: "false",
      dynamic: "false",
      disabled: "false",
    },
  ]);
});

test("ids are upper-case hexadecimal and never used again", async () => {
  const ids = [];
  for (let number = 1; number <= 11; number++) ids.push(await addRule(`r${number}`));
  expect(ids.slice(8)).toEqual(["*9", "*A", "*B"]);
  await client.run(`${FILTER}/remove`, "=.id=*B");
  expect(await addRule("next")).toBe("*C");
});

test("place-before and move change the order, not the ids", async () => {
  const [a, b] = [await addRule("a"), await addRule("b")];
  await addRule("c", `=place-before=${b}`);
  expect(await chains()).toEqual(["a", "c", "b"]);
  await client.run(`${FILTER}/move`, `=numbers=${b}`, `=destination=${a}`);
  expect(await chains()).toEqual(["b", "a", "c"]);
  await client.run(`${FILTER}/move`, `=.id=${b}`);
  expect(await chains()).toEqual(["a", "c", "b"]);
  expect((await client.run(`${FILTER}/add`, "=chain=input", "=place-before=*99"))[0]).toEqual([
    "!trap",
    "=category=0",
    "=message=no such item",
  ]);
});

test("set, enable and disable take a comma list of ids and change all or none", async () => {
  const [a, b] = [await addRule("a"), await addRule("b")];
  await client.run(`${FILTER}/disable`, `=numbers=${a},${b}`);
  expect((await client.rows(`${FILTER}/print`)).map((row) => row.disabled)).toEqual(["true", "true"]);
  await client.run(`${FILTER}/enable`, `=.id=${a}`);
  expect((await client.rows(`${FILTER}/print`)).map((row) => row.disabled)).toEqual(["false", "true"]);
  expect((await client.run(`${FILTER}/set`, `=.id=${a},*77`, "=comment=x"))[0]?.at(-1)).toBe(
    "=message=no such item",
  );
  expect(await chains()).toEqual(["a", "b"]);
});

test("an empty comment takes it away, and comment sets one", async () => {
  const id = await addRule("a");
  await client.run(`${FILTER}/set`, `=.id=${id}`, "=comment=");
  expect(await client.rows(`${FILTER}/print`, "?comment")).toEqual([]);
  await client.run(`${FILTER}/comment`, `=numbers=${id}`, "=comment=b");
  expect(await chains()).toEqual(["b"]);
});

test("unset takes a matcher away", async () => {
  const id = await addRule("a", "=src-address=!192.0.2.0/24");
  expect((await client.rows(`${FILTER}/print`))[0]?.["src-address"]).toBe("!192.0.2.0/24");
  expect(await client.run(`${FILTER}/unset`, `=.id=${id}`, "=value-name=src-address")).toEqual([["!done"]]);
  expect((await client.rows(`${FILTER}/print`))[0]).not.toHaveProperty("src-address");
});

test("set without a target is the way of a menu of one row alone", async () => {
  expect(await client.run("/system/identity/set", "=name=core 1")).toEqual([["!done"]]);
  expect(await client.rows("/system/identity/print")).toEqual([{ name: "core 1" }]);
  expect((await client.run("/user/set", "=comment=x"))[0]).toEqual(["!trap", "=message=missing =.id="]);
});

test.each([
  ["a required argument left out", [`${FILTER}/add`, "=action=drop"], ["=message=missing =chain="]],
  [
    "an argument there is none of",
    [`${FILTER}/add`, "=chain=input", "=sorce=1"],
    ["=message=unknown parameter sorce"],
  ],
  [
    "a value that is none of the enumeration",
    [`${FILTER}/add`, "=chain=input", "=action=deny"],
    ["=category=1", "=message=input does not match any value of action"],
  ],
  [
    "a reference to nothing",
    ["/user/add", "=name=u", "=group=nogroup", "=password=p"],
    ["=category=1", "=message=input does not match any value of group"],
  ],
  [
    "a value of the wrong form",
    [`${FILTER}/add`, "=chain=input", "=src-address=here"],
    ["=category=1", "=message=invalid value for argument src-address"],
  ],
  [
    "a number out of range",
    ["/ip/service/set", "=.id=*0", "=port=65536"],
    ["=category=1", "=message=value out of range (1..65535)"],
  ],
  ["a row that is not there", ["/user/remove", "=.id=*FF"], ["=category=0", "=message=no such item"]],
  [
    "a second row with the same key",
    ["/user/add", "=name=admin", "=group=full", "=password="],
    ["=message=failure: user with the same name already exists"],
  ],
  [
    "a read-only property",
    ["/user/set", "=.id=admin", "=expired=yes"],
    ["=message=unknown parameter expired"],
  ],
])("%s is refused in RouterOS's words", async (_what, words, trap) => {
  expect(await client.run(...words)).toEqual([["!trap", ...trap], ["!done"]]);
});

test("a value is kept byte for byte, equals signs, newlines and other encodings included", async () => {
  const comment = Buffer.from("a=b\r\n\xe9\x80 \x01", "latin1");
  const words = [`${FILTER}/add`, "=chain=input", Buffer.concat([Buffer.from("=comment="), comment])];
  const received: Buffer[] = [];
  client.socket.on("data", (chunk: Buffer) => received.push(chunk));
  client.socket.write(encodeSentence(words));
  await client.receive();
  await client.run(`${FILTER}/print`, "=.proplist=comment");
  expect(Buffer.concat(received).includes(Buffer.concat([Buffer.from("=comment="), comment]))).toBe(true);
  await client.run("/system/identity/set", "=name=Zürich 🚀");
  expect(await client.rows("/system/identity/print")).toEqual([{ name: "Zürich 🚀" }]);
});

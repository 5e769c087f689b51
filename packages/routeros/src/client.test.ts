import { describe, expect, test } from "vitest";
import type { RouterClient } from "./client.ts";
import { InvalidCommandError, ProtocolError } from "./errors.ts";
import { rejection, withRouter } from "./testing/with-router.ts";

/** What one call sends, and what it makes of the reply given. */
async function exchange<T>(use: (router: RouterClient) => Promise<T>, ...reply: string[][]) {
  let sent: string[] = [];
  let result: T | undefined;
  await withRouter(
    async (line) => {
      const { words, tag } = await line.command();
      sent = words;
      for (const sentence of reply) line.send(...sentence, `.tag=${tag}`);
    },
    async (router) => {
      result = await use(router);
    },
  );
  return { sent, result };
}

const DONE = ["!done"];

describe("the client's verbs are RouterOS's", () => {
  test("print returns the rows, with the properties and for the queries asked", async () => {
    const { sent, result } = await exchange(
      (router) =>
        router.print("/ip/address", {
          proplist: [".id", "address"],
          queries: ["?interface=ether1", "?disabled=no", "?#&"],
        }),
      ["!re", "=.id=*1", "=address=10.0.0.1/24"],
      ["!re", "=.id=*2", "=address=10.0.0.2/24"],
      DONE,
    );
    expect(sent).toEqual([
      "/ip/address/print",
      "=.proplist=.id,address",
      "?interface=ether1",
      "?disabled=no",
      "?#&",
    ]);
    expect(result).toEqual([
      { ".id": "*1", address: "10.0.0.1/24" },
      { ".id": "*2", address: "10.0.0.2/24" },
    ]);
  });

  test("count asks for the number alone", async () => {
    const { sent, result } = await exchange(
      (router) => router.count("/ip/dhcp-server/lease", { queries: ["?server=developers"] }),
      ["!done", "=ret=4"],
    );
    expect(sent).toEqual(["/ip/dhcp-server/lease/print", "=count-only=", "?server=developers"]);
    expect(result).toBe(4);
  });

  test("add returns the new id", async () => {
    const { sent, result } = await exchange(
      (router) => router.add("/ip/address", { address: "192.168.1.1/24", interface: "ether1" }),
      ["!done", "=ret=*3"],
    );
    expect(sent).toEqual(["/ip/address/add", "=address=192.168.1.1/24", "=interface=ether1"]);
    expect(result).toBe("*3");
  });

  test("set names its row, and none on a singleton menu", async () => {
    const row = await exchange((router) => router.set("/user", "*2", { comment: "" }), DONE);
    expect(row.sent).toEqual(["/user/set", "=comment=", "=.id=*2"]);
    const singleton = await exchange(
      (router) => router.set("/system/identity", undefined, { name: "r1" }),
      DONE,
    );
    expect(singleton.sent).toEqual(["/system/identity/set", "=name=r1"]);
  });

  test("remove takes one row or several in one command", async () => {
    const one = await exchange((router) => router.remove("/user", "*2"), DONE);
    expect(one.sent).toEqual(["/user/remove", "=.id=*2"]);
    const several = await exchange((router) => router.remove("/user", ["*2", "*A"]), DONE);
    expect(several.sent).toEqual(["/user/remove", "=.id=*2,*A"]);
  });

  test("call returns the whole reply", async () => {
    const { sent, result } = await exchange(
      (router) => router.call("/execute", { script: ":put hello", "as-string": "" }),
      ["!empty"],
      ["!done", "=ret=hello\r\n"],
    );
    expect(sent).toEqual(["/execute", "=script=:put hello", "=as-string="]);
    expect(result).toEqual({ rows: [], ret: "hello\r\n", empty: true });
  });

  test("an answer that lacks what was asked for is a protocol error", async () => {
    for (const use of [
      (router: RouterClient) => router.add("/user", { name: "x" }),
      (router: RouterClient) => router.count("/user"),
    ]) {
      const { result } = await exchange((router) => rejection(use(router)), DONE);
      expect(result).toBeInstanceOf(ProtocolError);
      expect(result).toMatchObject({ outcomeUnknown: true });
    }
  });
});

test("bytes go out and values come back as they are", async () => {
  const { result } = await exchange(
    (router) => router.call("/x", { comment: "a=b\n=c=d", note: Buffer.from([0xe4, 0x3d, 0x00]) }),
    ["!re", "=__proto__=polluted", "=constructor=c", "=comment=a=b\n=c=d", "=empty="],
    DONE,
  );
  const row = result?.rows[0] ?? {};
  expect(Object.entries(row)).toEqual([
    ["__proto__", "polluted"],
    ["constructor", "c"],
    ["comment", "a=b\n=c=d"],
    ["empty", ""],
  ]);
  expect("toString" in row).toBe(false);
  expect(Object.getPrototypeOf(Object.getPrototypeOf(row))).toBeNull();
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

describe("nothing malformed leaves", () => {
  const calls: readonly [string, (router: RouterClient) => Promise<unknown>][] = [
    ["a path with a space", (router) => router.print("/ip address")],
    ["a path without its slash", (router) => router.print("ip/address")],
    ["an empty path part", (router) => router.print("/ip//address")],
    ["a path with a line break", (router) => router.print("/ip/address\n=x=y")],
    ["a name with an equals sign", (router) => router.add("/user", { "name=x": "y" })],
    ["a name with a control character", (router) => router.add("/user", { "na\u0000me": "y" })],
    ["an empty name", (router) => router.add("/user", { "": "y" })],
    ["a name outside ASCII", (router) => router.add("/user", { größe: "y" })],
    ["a query without its mark", (router) => router.print("/user", { queries: ["name=x"] })],
    ["an empty query", (router) => router.print("/user", { queries: ["?"] })],
    ["an attribute without its second equals sign", (router) => router.run(["/user/print", "=detail"])],
    ["a tag of the caller's", (router) => router.run(["/user/print", ".tag=1"])],
    ["an empty word", (router) => router.run(["/user/print", ""])],
    ["no words", (router) => router.run([])],
    ["an empty id", (router) => router.remove("/user", "")],
    ["an id that is two", (router) => router.set("/user", "*1,*2", {})],
    ["a login of its own", (router) => router.call("/login", { name: "x" })],
    ["a cancel of everything", (router) => router.call("/cancel")],
  ];

  test.each(calls)("%s", async (_, use) => {
    await withRouter(
      async (line) => {
        const { words, tag } = await line.command();
        expect(words).toEqual(["/good"]);
        line.send("!done", `.tag=${tag}`);
      },
      async (router) => {
        const error = await rejection(use(router));
        expect(error).toBeInstanceOf(InvalidCommandError);
        expect(error).toMatchObject({ code: "invalid-command", outcomeUnknown: false });
        await router.call("/good");
      },
    );
  });

  test("removing nothing sends nothing", async () => {
    const { sent } = await exchange(async (router) => {
      await router.remove("/user", []);
      await router.call("/good");
    }, DONE);
    expect(sent).toEqual(["/good"]);
  });
});

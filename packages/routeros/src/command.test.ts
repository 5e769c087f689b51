import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SentenceDecoder } from "./codec/decoder.ts";
import { encodeSentence } from "./codec/sentence.ts";
import { commandWords, describeCommand, scrub, secretValues } from "./command.ts";
import type { TrapError } from "./errors.ts";
import { rejection, withRouter } from "./testing/with-router.ts";

test("whatever a value holds, it stays the value of its one attribute", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "=x=y",
      "\n=disabled=yes",
      "\u0000",
      "?name=x",
      ".tag=1",
      '"; /user add name=x',
      "$[/system reboot]",
    ),
  );
  fc.assert(
    fc.property(value, value, (comment, note) => {
      const bytes = encodeSentence(commandWords("/ip/address/set", { comment, note }, ["?#!"]));
      const [sentence] = new SentenceDecoder().push(bytes);
      const attributes = Object.entries(sentence?.attributes() ?? {});
      return (
        sentence?.length === 4 &&
        isDeepStrictEqual(attributes, Object.entries({ comment, note })) &&
        isDeepStrictEqual(sentence.queries(), ["?#!"]) &&
        sentence.tag === undefined
      );
    }),
    { numRuns: 5000 },
  );
});

test("a command is shown with its target and without any other value", () => {
  const words = [
    ...commandWords("/user/set", { ".id": "*2", name: "ann", password: "s3cret!", comment: "vault 7" }, [
      "?name=ann",
      "?address=10.1.2.3",
    ]),
    Buffer.from("=source=/user add password=s3cret!"),
  ];
  expect(describeCommand(words)).toBe(
    "/user/set =.id=*2 =name=ann =password=... =comment=... ?name=ann ?address=... =source=...",
  );
});

test("values of secret attributes are known by the attribute's name", () => {
  const words = commandWords("/x/add", {
    password: "aaaaa",
    "export-passphrase": "bbbbb",
    "ipsec-secret": "ccccc",
    "private-key": "ddddd",
    response: "eeeee",
    name: "fffff",
    "new-password": "no",
  });
  expect(secretValues(words)).toEqual(["aaaaa", "bbbbb", "ccccc", "ddddd", "eeeee"]);
  expect(scrub("ccccc is not aaaaa, aaaaa!", secretValues(words))).toBe(
    "[redacted] is not [redacted], [redacted]!",
  );
});

test("a router that says a password back does not get it into our errors", async () => {
  const password = "zebra-7-canary";
  await withRouter(
    async (line) => {
      const { tag } = await line.command();
      line.send("!trap", `=message=password ${password} is too weak`, `=detail=${password}`, `.tag=${tag}`);
      line.send("!done", `.tag=${tag}`);
      await line.command();
      line.send("!fatal", `cannot store ${password}`);
    },
    async (router) => {
      const trap = (await rejection(router.add("/user", { name: "x", password }))) as TrapError;
      const fatal = await rejection(router.set("/user", "*1", { password }));
      for (const error of [trap, fatal, await router.closed]) {
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(password);
        expect(JSON.stringify(error)).not.toContain(password);
      }
      expect(trap.message).toBe("password [redacted] is too weak");
      expect(trap.command).toBe("/user/add =name=x =password=...");
    },
  );
});

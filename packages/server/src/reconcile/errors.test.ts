import { CommandTimeoutError, ConnectError, LoginError, ProtocolError, TrapError } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { isUnknown, messageOf, NeedsAttentionError, outcomeOf, StepError } from "./errors.ts";
import type { Step } from "./types.ts";

const step: Step = {
  menu: "/user",
  command: "add",
  target: { field: "name", key: "u" },
  values: {},
  secrets: {},
  inverse: [],
  touchesManagementPath: false,
  reportOnly: false,
  text: "/user add name=u",
};
const unreachable = new ConnectError("connection refused", { host: "192.0.2.1", port: 8728, stage: "tcp" });
const trap = new TrapError([{ message: "not enough permissions (9)" }], {
  operation: "/user/add",
  command: "/user/add",
});

test.each([
  ["a router that can't be reached is awaited", unreachable, "pending", false],
  [
    "an answer that never came leaves the state unknown",
    new CommandTimeoutError("/user/print", 30_000),
    "pending",
    false,
  ],
  [
    "a refused login waits for a person",
    new LoginError("credentials", "invalid user name or password (6)"),
    "needs_attention",
    true,
  ],
  [
    "what needs a person says so",
    new NeedsAttentionError("close the other sessions"),
    "needs_attention",
    false,
  ],
  ["a refused step failed", new StepError(step, trap), "failed", true],
  [
    "a step whose answer never came is unknown",
    new StepError(step, new CommandTimeoutError("/user/add", 1)),
    "pending",
    false,
  ],
  ["garbage failed", new ProtocolError("first byte 0xff", { operation: "decode" }), "failed", true],
  [
    "garbage instead of a login answer failed",
    new ConnectError("no login", {
      host: "192.0.2.1",
      port: 8728,
      stage: "login",
      cause: new ProtocolError("first byte 0xff", { operation: "decode" }),
    }),
    "failed",
    false,
  ],
])("%s", (_title, error, state, reached) => {
  expect(outcomeOf(error)).toMatchObject({ state, reached });
});

test("a refused step names itself and the router's words", () => {
  expect(outcomeOf(new StepError(step, trap))).toMatchObject({
    reason: "/user add name=u: not enough permissions (9)",
  });
});

test("only a lost answer is unknown", () => {
  expect(isUnknown(new CommandTimeoutError("/user/add", 1))).toBe(true);
  expect(isUnknown(trap)).toBe(false);
  expect(isUnknown(new Error("x"))).toBe(false);
});

test("a reason from a router is one line without control characters and of bounded length", () => {
  expect(messageOf(new Error(" a\r\n\u001b[31mb\u202ec\n"))).toBe("a\\0D\\0A\\1B[31mb\\u{202E}c");
  expect(messageOf("x".repeat(1000))).toHaveLength(500);
});

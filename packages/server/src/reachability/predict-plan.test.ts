import { ipService, parseVersion } from "@portreeve/routeros";
import { expect, test } from "vitest";
import type { DesiredMenu } from "../reconcile/types.ts";
import { predictPlan } from "./index.ts";
import { router } from "./testing.fixture.ts";

const version = parseVersion("7.16");

function wanting(fields: Readonly<Record<string, Readonly<Record<string, string>>>>): DesiredMenu {
  const rows = Object.entries(fields).map(([key, values]) => ({ key, fields: values }));
  return { menu: ipService, rows, owns: "none" };
}

const texts = (steps: readonly { text: string }[]) => steps.map(({ text }) => text);

test("a router that is as wanted is left alone", () => {
  const observed = router({});
  const wanted = wanting({ ssh: { port: "22", disabled: "false" } });
  expect(predictPlan(() => [wanted], observed, version)).toEqual({ steps: [], after: observed });
});

test("services that swap ports are followed until both have them", () => {
  const swap = wanting({
    ssh: { port: "80", disabled: "false" },
    www: { port: "22", disabled: "false" },
  });
  const { steps, after } = predictPlan(() => [swap], router({}), version);
  expect(texts(steps)).toEqual([
    '/ip service set [find name="www"] disabled=yes',
    '/ip service set [find name="ssh"] port=80',
    '/ip service set [find name="www"] port=22 disabled=no',
  ]);
  const ports = after.get("/ip/service")?.map(({ name, port, disabled }) => [name, port, disabled]);
  expect(ports).toContainEqual(["ssh", "80", "false"]);
  expect(ports).toContainEqual(["www", "22", "false"]);
});

test("what is only reported is among the steps, and not among the rows afterwards", () => {
  const observed = router({});
  const reported = { ...wanting({ ssh: { disabled: "true" } }), reportOnly: true };
  const { steps, after } = predictPlan(() => [reported], observed, version);
  expect(texts(steps)).toEqual(['/ip service set [find name="ssh"] disabled=yes']);
  expect(after).toBe(observed);
});

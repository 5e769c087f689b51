/** Rows that modules share, and rows that come about by commands of their own. */
import { certificate, ipService, parseVersion, userGroup } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { plan } from "./plan.ts";
import type { DesiredMenu, DesiredRow, Observed } from "./types.ts";

const version = parseVersion("7.18");

const observed: Observed = new Map([
  [
    "/ip/service",
    [
      { ".id": "*7", name: "api", port: "8728", disabled: "false" },
      { ".id": "*9", name: "api-ssl", port: "8729", disabled: "true", certificate: "none" },
    ],
  ],
  ["/user/group", [{ ".id": "*1", name: "ours", policy: "read" }]],
  ["/certificate", [{ ".id": "*A", name: "template" }]],
]);

const service = (key: string, fields: DesiredRow["fields"], more: Partial<DesiredRow> = {}): DesiredMenu => ({
  menu: ipService,
  rows: [{ key, fields, ...more }],
  owns: "none",
});
const texts = (...desired: DesiredMenu[]) => plan(desired, observed, version).steps.map(({ text }) => text);

test("what modules say of one row adds up to one step, and the later one has the last word", () => {
  const first = service("api-ssl", { port: "8730", disabled: "false" }, { managementPath: true });
  const second = service("api-ssl", { certificate: "c", disabled: "true" });
  const [step, ...others] = plan([first, second], observed, version).steps;
  expect(others).toEqual([]);
  expect(step).toMatchObject({ values: { port: "8730", certificate: "c" }, touchesManagementPath: true });
});

test("what one module only reports, another one delivers", () => {
  const reported = { ...service("api", { port: "8740" }), reportOnly: true };
  const delivered = service("api-ssl", { certificate: "c" });
  const steps = plan([reported, delivered], observed, version).steps;
  expect(steps.map(({ target, reportOnly }) => [target.key, reportOnly])).toEqual([
    ["api", true],
    ["api-ssl", false],
  ]);
});

test("a row comes about by the commands it names, one after the other, and is never set", () => {
  const made = (row: Omit<DesiredRow, "fields">): DesiredMenu => ({
    menu: certificate,
    rows: [{ fields: { "common-name": "x" }, ...row }],
    owns: "none",
  });
  const sign: DesiredRow["nextCommand"] = {
    command: "sign",
    values: { number: "template" },
    secrets: { passphrase: { of: "certificates", id: "template" } },
  };
  expect(texts(made({ key: "new", nextCommand: "add" }))).toEqual([
    "/certificate add name=new common-name=x",
  ]);
  expect(texts(made({ key: "template", nextCommand: sign }))).toEqual([
    "/certificate sign number=template passphrase=[hidden]",
  ]);
  expect(texts(made({ key: "template", nextCommand: "none" }))).toEqual([]);
  expect(texts(made({ key: "gone", nextCommand: "none" }))).toEqual([]);
});

test("a certificate that is removed can't be put back, another row can", () => {
  const removal = (menu: DesiredMenu["menu"]) =>
    plan([{ menu, rows: [], owns: "every" }], observed, version).steps.map(({ inverse }) => inverse.length);
  expect(removal(certificate)).toEqual([0]);
  expect(removal(userGroup)).toEqual([1]);
});

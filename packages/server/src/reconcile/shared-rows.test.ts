/** Rows that modules share, rows that wait for others, and rows that come about by commands of their own. */
import { certificate, ipService, parseVersion, userGroup } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { Secret } from "../vault/index.ts";
import { plan } from "./plan.ts";
import type { DesiredMenu, DesiredRow, Observed } from "./types.ts";

const version = parseVersion("7.18");
const none = () => false;

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
  owns: none,
});
const texts = (...desired: DesiredMenu[]) => plan(desired, observed, version).steps.map(({ text }) => text);

test("what modules say of one row adds up to one step, and the later one has the last word", () => {
  const first = service("api-ssl", { port: "8730", disabled: "false" }, { managementPath: true });
  const second = service("api-ssl", { certificate: "c", disabled: "true" });
  const [step, ...others] = plan([first, second], observed, version).steps;
  expect(others).toEqual([]);
  expect(step).toMatchObject({ values: { port: "8730", certificate: "c" }, touchesManagementPath: true });
});

test("a row that waits is left to what the others say of it", () => {
  const isThere = (rows: Observed) => rows.get("/certificate")?.some(({ name }) => name === "c") ?? false;
  const waiting = service("api-ssl", { certificate: "c" }, { when: isThere });
  expect(texts(service("api-ssl", { port: "8730" }), waiting)).toEqual([
    '/ip service set [find name="api-ssl"] port=8730',
  ]);
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
    owns: none,
  });
  const nextCommand: DesiredRow["nextCommand"] = (there) => {
    if (!there) return "add";
    return { command: "sign", values: { number: "template" }, secrets: { passphrase: new Secret("s") } };
  };
  expect(texts(made({ key: "new", nextCommand }))).toEqual(["/certificate add name=new common-name=x"]);
  expect(texts(made({ key: "template", nextCommand }))).toEqual([
    "/certificate sign number=template passphrase=[hidden]",
  ]);
  expect(texts(made({ key: "template", nextCommand: () => undefined }))).toEqual([]);
  expect(texts(made({ key: "gone", nextCommand: () => undefined }))).toEqual([]);
});

test("a certificate that is removed can't be put back, another row can", () => {
  const removal = (menu: DesiredMenu["menu"]) =>
    plan([{ menu, rows: [], owns: () => true }], observed, version).steps.map(
      ({ inverse }) => inverse.length,
    );
  expect(removal(certificate)).toEqual([0]);
  expect(removal(userGroup)).toEqual([1]);
});

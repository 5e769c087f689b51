/** What `script` of @portreeve/routeros writes, read by the interpreter here: two grammars that know nothing of each other. */
import { array, identifier, list, script, value } from "@portreeve/routeros";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wordBytes } from "../api/words.ts";
import { startRouter, type TestRouter } from "../testing/scripts.ts";

const HOSTILE = [
  '"; /user add name=evil group=full password="',
  "$[/system reboot]",
  "[:execute {/system reboot}]",
  "$evil",
  "\\",
  '\\"',
  "\\5C\\22",
  "?",
  "a\nb\r\nc\td",
  "\u0000",
  "\u007f\u001b[31m",
  "{}()#;=`x`",
  "} on-error={}",
  "é€\u{10ffff}\ufeff\u0080\u07ff\u0800\uffff",
  " ",
];
const anyText = fc
  .oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom(...HOSTILE)).map((parts) => parts.join("")),
    fc.tuple(fc.constantFrom(...HOSTILE), fc.string()).map(([hostile, rest]) => rest + hostile),
  )
  .filter((text) => text.isWellFormed());
const RUNS = 2_500;

describe.each(["6.49", "7.9", "7.18", "7.24"])("RouterOS %s", (version) => {
  let router: TestRouter;

  beforeAll(async () => {
    router = await startRouter({ version });
    const { control } = router.router;
    await control.addRow("/ip/firewall/address-list", { list: "l", address: "192.0.2.1" });
  });

  afterAll(async () => {
    await router?.[Symbol.asyncDispose]();
  });

  const rows = (menu: string) =>
    router.router.control.rows(menu).map(({ "last-logged-in": _login, ...row }) => row);
  const others = () =>
    ["/user", "/user/group", "/ip/service", "/system/script", "/system/scheduler"].map((menu) =>
      rows(menu).filter((row) => row.dynamic !== "true"),
    );

  test("a value is stored byte for byte, and nothing of it is carried out", { timeout: 60_000 }, async () => {
    const before = others();
    const stores = async (comment: string, name: string) => {
      const command = script`/ip firewall address-list set [find where list=${value("l")}] comment=${value(comment)}`;
      const wrapped = script`:do { ${command} } on-error={ :error ${value("refused")} }
:global ${identifier("kept")} ${value(name)}
:if (${array([name, comment])} = ${array([name, comment])}) do={ /system identity set name=${value("same")} }`;
      await router.client.run(
        "/execute",
        `=script=${wrapped.text}`,
        ...(version === "6.49" ? [] : ["=as-string="]),
      );
      await expect
        .poll(() => rows("/ip/firewall/address-list")[0]?.comment ?? "", { interval: 1 })
        .toBe(comment);
      await expect.poll(() => rows("/system/identity")[0]?.name, { interval: 1 }).toBe("same");
      await router.router.control.setRow("/system/identity", undefined, { name: "another" });
      expect(rows("/ip/firewall/address-list")).toHaveLength(1);
      expect(others()).toEqual(before);
    };
    for (const text of HOSTILE) await stores(text, text);
    await fc.assert(fc.asyncProperty(anyText, anyText, stores), { numRuns: RUNS });
  });

  test("bytes that are no text come through a variable as they are", { timeout: 60_000 }, async () => {
    const before = others();
    const stores = async (bytes: Uint8Array) => {
      const { text } = script`:global ${identifier("kept")} ${value(bytes)}
/ip firewall address-list set [find where list=${value("l")}] comment=$${identifier("kept")}
/system identity set name=${value("same")}`;
      await router.client.run("/execute", `=script=${text}`, ...(version === "6.49" ? [] : ["=as-string="]));
      await expect.poll(() => rows("/system/identity")[0]?.name, { interval: 1 }).toBe("same");
      await router.router.control.setRow("/system/identity", undefined, { name: "another" });
      const stored = wordBytes(rows("/ip/firewall/address-list")[0]?.comment ?? "");
      expect(Buffer.from(stored as string)).toEqual(Buffer.from(bytes));
      expect(others()).toEqual(before);
    };
    await stores(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), stores), { numRuns: 1_000 });
  });

  test("a comma list of networks is the list it was", async () => {
    const networks = ["192.0.2.0/24", "198.51.100.7/32"];
    const name = version === "7.24" ? "available-from" : "address";
    const which = script`[find where name=${value("telnet")}]`;
    const { text } = script`/ip service set ${which} ${identifier(name)}=${list(networks)}`;
    await router.client.run("/execute", `=script=${text}`);
    const telnet = () => rows("/ip/service").find((row) => row.name === "telnet" && row.dynamic !== "true");
    await expect.poll(() => telnet()?.[name] ?? "").toBe(networks.join(","));
  });
});

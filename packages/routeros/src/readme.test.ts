import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROUTER_CERTIFICATE } from "./testing/certificates.ts";
import { RawPeer } from "./testing/raw-peer.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

async function outputOf(code: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@portreeve/source", "--input-type=module-typescript", "--eval", code],
    { cwd: fileURLToPath(new URL("..", import.meta.url)), timeout: 20_000 },
  );
  return stdout;
}

/** What the examples that need no router print, in order. */
const PRINTED = [
  `8729 [ '10.0.0.0/8' ]
{ address: '10.0.0.0/8', disabled: 'yes' }
`,
  `/system scheduler add name="undo" interval="10m" on-event="/user remove \\5Bfind name\\3D\\22x\\5C22\\5C3B /system reboot\\22\\5D"
`,
];

test("every other example of the README prints what it should", async () => {
  expect(examples).toHaveLength(1 + PRINTED.length);
  for (const [i, printed] of PRINTED.entries()) expect(await outputOf(examples[i + 1] ?? "")).toBe(printed);
});

test("the first example of the README runs as it stands", async () => {
  const sent: string[][] = [];
  await using peer = await RawPeer.listen(async (line) => {
    await line.admit();
    for (const reply of [
      ["!done", "=ret=*1F"],
      ["!done"],
      ["!re", "=.id=*1F", "=address=198.51.100.7"],
      ["!done"],
    ]) {
      const { words, tag } = await line.command();
      sent.push(words);
      line.send(...reply, `.tag=${tag}`);
      if (reply[0] === "!re") line.send("!done", `.tag=${tag}`);
    }
    await line.end();
  }, ROUTER_CERTIFICATE);
  const { fingerprint256 } = new X509Certificate(ROUTER_CERTIFICATE.cert);
  const code = (examples[0] ?? "")
    .replace("192.0.2.1", "127.0.0.1")
    .replace("port: 8729", `port: ${peer.port}`)
    .replace("B1:2F:…", fingerprint256);
  expect(await outputOf(code)).toBe("*1F 198.51.100.7\n");
  await peer.finished();
  expect(sent).toEqual([
    ["/ip/firewall/address-list/add", "=list=office", "=address=198.51.100.7"],
    ["/ip/firewall/address-list/set", "=comment=head office", "=.id=*1F"],
    ["/ip/firewall/address-list/print", "?list=office"],
    ["/ip/firewall/address-list/remove", "=.id=*1F"],
  ]);
});

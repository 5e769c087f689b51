import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROUTER_CERTIFICATE } from "./testing/certificates.ts";
import { RawPeer } from "./testing/raw-peer.ts";

test("the first example of the README runs as it stands", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
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
  const code = example
    .replace("192.0.2.1", "127.0.0.1")
    .replace("port: 8729", `port: ${peer.port}`)
    .replace("B1:2F:…", fingerprint256);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@portreeve/source", "--input-type=module-typescript", "--eval", code],
    { cwd: fileURLToPath(new URL("..", import.meta.url)), timeout: 20_000 },
  );
  expect(stdout).toBe("*1F 198.51.100.7\n");
  await peer.finished();
  expect(sent).toEqual([
    ["/ip/firewall/address-list/add", "=list=office", "=address=198.51.100.7"],
    ["/ip/firewall/address-list/set", "=comment=head office", "=.id=*1F"],
    ["/ip/firewall/address-list/print", "?list=office"],
    ["/ip/firewall/address-list/remove", "=.id=*1F"],
  ]);
});

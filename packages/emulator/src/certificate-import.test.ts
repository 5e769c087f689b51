/** Certificates from outside: a request made on the router, signed elsewhere, imported and served. */
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type DetailedPeerCertificate } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RawClient } from "./testing/raw-client.ts";
import { startRouter, type TestRouter, trapOf } from "./testing/scripts.ts";
import { connectSsh, readFile, sftpOf, writeFile } from "./testing/ssh-client.ts";

/** An authority outside, with one between it and what it signs. */
let directory: string;
const file = (name: string) => join(directory, name);
const openssl = (...args: string[]) =>
  execFileSync("openssl", args, { cwd: directory, stdio: "pipe" }).toString();

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "authority-"));
  const authority = [
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
  ];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "root.key",
    "-out",
    "root.crt",
    "-days",
    "30",
    "-subj",
    "/CN=Root",
    ...authority,
  );
  openssl(
    "req",
    ...key,
    "-keyout",
    "mid.key",
    "-out",
    "mid.csr",
    "-subj",
    "/O=Example/CN=Between",
    ...authority,
  );
  openssl(
    "x509",
    "-req",
    "-in",
    "mid.csr",
    "-CA",
    "root.crt",
    "-CAkey",
    "root.key",
    "-out",
    "mid.crt",
    "-days",
    "20",
    "-copy_extensions",
    "copyall",
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What the authority makes of a request; extensions are taken over. */
function signed(request: string): string {
  writeFileSync(file("router.csr"), request);
  openssl("req", "-in", "router.csr", "-verify", "-noout");
  openssl(
    "x509",
    "-req",
    "-in",
    "router.csr",
    "-CA",
    "mid.crt",
    "-CAkey",
    "mid.key",
    "-out",
    "router.crt",
    "-days",
    "10",
    "-copy_extensions",
    "copyall",
  );
  return readFileSync(file("router.crt"), "utf8");
}

const start = (version: string, more: Partial<Parameters<typeof startRouter>[0]> = {}) =>
  startRouter({
    version,
    ports: { api: 0, ssh: 0, "api-ssl": 0, "www-ssl": 0 },
    listen: ["api", "ssh", "api-ssl", "www-ssl"],
    ...more,
  });

const TEMPLATE = [
  "=name=tpl",
  "=common-name=router.example",
  "=organization=Example",
  "=country=LV",
  "=key-size=prime256v1",
  "=key-usage=digital-signature,key-encipherment,tls-server",
  "=subject-alt-name=DNS:router.example,IP:127.0.0.1",
];

/** The request's file, as this version can be asked for it. */
async function readRequest(on: TestRouter, version: string): Promise<string> {
  const name = "certificate-request.pem";
  if (version === "7.24") {
    const [row] = await on.client.rows("/file/read", `=file=${name}`, "=chunk-size=4096");
    return row?.data ?? "";
  }
  const [row] = await on.client.rows("/file/print", `?name=${name}`, "=.proplist=contents");
  return row?.contents ?? "";
}

async function upload(on: TestRouter, version: string, name: string, contents: string): Promise<void> {
  if (version !== "6.49.17") {
    await on.client.run("/file/add", `=name=${name}`, `=contents=${contents}`);
    return;
  }
  const client = await connectSsh(on.router);
  await writeFile(await sftpOf(client), name, contents);
  client.end();
}

const importFile = async (on: TestRouter, ...words: string[]) => {
  const [row] = await on.client.rows("/certificate/import", ...words);
  return row;
};

const counts = (certificates: number, keys: number) => ({
  "certificates-imported": String(certificates),
  "private-keys-imported": String(keys),
  "files-imported": String(Math.min(certificates + keys, 1)),
  "decryption-failures": "0",
  "keys-with-no-certificate": "0",
});

const certificateOf = (on: TestRouter, name: string) =>
  on.router.control.rows("/certificate").find((row) => row.name === name);

/** The chain a TLS service of the router sends, from its own certificate on. */
async function served(on: TestRouter, service: "api-ssl" | "www-ssl", options: ConnectionOptions = {}) {
  const socket = connect({
    host: "127.0.0.1",
    port: on.router.port(service),
    ca: readFileSync(file("root.crt")),
    servername: "router.example",
    ...options,
  });
  await once(socket, "secureConnect");
  const names: string[] = [];
  let one: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (; one && !names.includes(String(one.subject?.CN)); one = one.issuerCertificate) {
    names.push(String(one.subject.CN));
  }
  socket.destroy();
  return names;
}

test.each(["6.49.17", "7.9", "7.16", "7.24"])(
  "a request made on RouterOS %s is signed outside, imported with its key, and served with its chain",
  async (version) => {
    await using on = await start(version);
    const { client } = on;
    await client.run("/certificate/add", ...TEMPLATE);
    const asked = ["=template=tpl", "=key-passphrase=secret words", "=challenge-passphrase=c"];
    expect(trapOf(await client.run("/certificate/create-certificate-request", ...asked))).toBeUndefined();
    expect(on.router.control.rows("/file").map(({ name }) => name)).toEqual([
      "certificate-request.pem",
      "certificate-request_key.pem",
    ]);
    const certificate = signed(await readRequest(on, version));

    await upload(on, version, "router.crt", certificate);
    await upload(on, version, "mid.crt", readFileSync(file("mid.crt"), "utf8"));
    expect(await importFile(on, "=file-name=router.crt", "=passphrase=")).toEqual(counts(1, 0));
    expect(certificateOf(on, "router.crt_0")).toMatchObject({ "private-key": "false", authority: "false" });
    // Not usable yet: its key is missing.
    expect(trapOf(await client.run("/ip/service/set", "=.id=api-ssl", "=certificate=router.crt_0"))).toBe(
      "input does not match any value of certificate",
    );
    const key = "=file-name=certificate-request_key.pem";
    expect(await importFile(on, key, "=passphrase=wrong")).toMatchObject({ "decryption-failures": "1" });
    expect(await importFile(on, key, "=passphrase=secret words")).toEqual(counts(0, 1));
    expect(await importFile(on, "=file-name=mid.crt", "=name=between")).toEqual(counts(1, 0));
    expect(await importFile(on, "=file-name=mid.crt")).toEqual(counts(0, 0));

    const { fingerprint256, serialNumber } = new X509Certificate(certificate);
    expect(certificateOf(on, "router.crt_0")).toMatchObject({
      "private-key": "true",
      trusted: "true",
      "common-name": "router.example",
      organization: "Example",
      country: "LV",
      issuer: "O=Example,CN=Between",
      "subject-alt-name": "DNS:router.example,IP:127.0.0.1",
      "key-usage": "digital-signature,key-encipherment,tls-server",
      "key-type": "ec",
      "key-size": "prime256v1",
      "digest-algorithm": "sha256",
      "days-valid": "10",
      "serial-number": serialNumber,
      fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
      expired: "false",
      "expires-after": expect.stringMatching(/^1w\dd/),
    });
    expect(certificateOf(on, "between")).toMatchObject({ authority: "true", issuer: "CN=Root" });

    for (const service of ["api-ssl", "www-ssl"] as const) {
      await client.run("/ip/service/set", `=.id=${service}`, "=certificate=router.crt_0", "=disabled=no");
      // The root isn't sent: the client has it.
      expect((await served(on, service)).slice(0, 2)).toEqual(["router.example", "Between"]);
    }
  },
);

test("a key in the file of its certificate comes with it, several certificates are numbered", async () => {
  await using on = await start("7.22");
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "own.key",
    "-out",
    "own.crt",
    "-days",
    "3",
    "-subj",
    "/CN=own",
  );
  const bundle = ["own.crt", "own.key", "mid.crt", "root.crt"]
    .map((name) => readFileSync(file(name), "utf8"))
    .join("");
  await upload(on, "7.22", "bundle.pem", bundle);
  expect(await importFile(on, "=file-name=bundle.pem", "=trusted=no", "=no-key-export=yes")).toEqual(
    counts(3, 1),
  );
  const rows = on.router.control.rows("/certificate");
  expect(rows.map(({ name, trusted }) => [name, trusted])).toEqual([
    ["bundle.pem_0", "false"],
    ["bundle.pem_1", "false"],
    ["bundle.pem_2", "false"],
  ]);
  expect(rows[0]).toMatchObject({ "key-type": "rsa", "key-size": "2048", "private-key": "true" });
  // Its key may not leave.
  await on.client.run(
    "/certificate/export-certificate",
    "=.id=bundle.pem_0",
    "=export-passphrase=p",
    "=file-name=out",
  );
  expect(on.router.control.rows("/file").map(({ name }) => name)).toEqual(["bundle.pem", "out.crt"]);
});

test("what is no file, no certificate or has no certificate for its key is said so", async () => {
  await using on = await start("7.16");
  expect(trapOf(await on.client.run("/certificate/import", "=file-name=nothing"))).toBe(
    "input does not match any value of file-name",
  );
  expect(trapOf(await on.client.run("/certificate/import"))).toBe("missing =file-name=");
  expect(trapOf(await on.client.run("/certificate/import", "=file-name=x", "=trusted=yes"))).toBe(
    "unknown parameter trusted",
  );
  await upload(
    on,
    "7.16",
    "a.txt",
    "nothing in here\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  );
  expect(await importFile(on, "=file-name=a.txt")).toEqual(counts(0, 0));
  await upload(on, "7.16", "root.key", readFileSync(file("root.key"), "utf8"));
  expect(await importFile(on, "=file-name=root.key")).toMatchObject({
    "private-keys-imported": "0",
    "keys-with-no-certificate": "1",
  });
});

test("a certificate and its key go from one router to another, and to OpenSSL, by export and import", async () => {
  await using from = await start("7.20");
  await using to = await start("7.24");
  await from.client.run("/certificate/add", "=name=ca", "=common-name=CA", "=key-size=secp384r1");
  await from.client.run("/certificate/sign", "=number=ca");
  const asked = ["=.id=ca", "=export-passphrase=12345678", "=file-name=ca"];
  await from.client.run("/certificate/export-certificate", ...asked);
  const client = await connectSsh(from.router);
  const sftp = await sftpOf(client);
  for (const name of ["ca.crt", "ca.key"]) {
    await upload(to, "7.24", name, (await readFile(sftp, name)).toString());
  }
  const key = (await readFile(sftp, "ca.key")).toString();
  expect(createPrivateKey({ key, passphrase: "12345678" }).asymmetricKeyType).toBe("ec");
  client.end();
  await importFile(to, "=file-name=ca.crt", "=name=ca");
  expect(await importFile(to, "=file-name=ca.key", "=passphrase=12345678")).toEqual(counts(0, 1));
  const same = ["fingerprint", "serial-number", "skid", "invalid-after", "key-usage", "issuer"];
  const [one, other] = [certificateOf(from, "ca"), certificateOf(to, "ca")];
  for (const name of same) expect(other?.[name], name).toBe(one?.[name]);
  // It signs there as it did here.
  await to.client.run("/certificate/add", "=name=leaf", "=common-name=leaf", "=key-size=prime256v1");
  expect(trapOf(await to.client.run("/certificate/sign", "=number=leaf", "=ca=ca"))).toBeUndefined();
  expect(certificateOf(to, "leaf")).toMatchObject({ issuer: "CN=CA", akid: other?.skid, issued: "true" });
});

test("a revoked certificate says since when, and is none of the issued ones any more", async () => {
  await using on = await start("7.22");
  for (const name of ["ca", "leaf"]) {
    await on.client.run("/certificate/add", `=name=${name}`, `=common-name=${name}`, "=key-size=prime256v1");
  }
  await on.client.run("/certificate/sign", "=number=ca");
  await on.client.run("/certificate/sign", "=number=leaf", "=ca=ca");
  expect(
    await on.script(
      "/certificate issued-revoke [find where issued]; :put [:len [/certificate find where issued]]",
    ),
  ).toBe("0\n");
  expect(certificateOf(on, "leaf")).toMatchObject({
    issued: "false",
    revoked: expect.stringMatching(/^\d{4}-/),
  });
  expect(trapOf(await on.client.run("/certificate/issued-revoke", "=numbers=ca"))).toContain(
    "has not issued",
  );
});

test("www-ssl is a listener with TLS of its own version and certificate", async () => {
  await using on = await start("7.20");
  await on.client.run("/certificate/add", "=name=own", "=common-name=own", "=key-size=prime256v1");
  await on.client.run("/certificate/sign", "=number=own");
  const words = ["=certificate=own", "=tls-version=only-1.2", "=disabled=no"];
  await on.client.run("/ip/service/set", "=.id=www-ssl", ...words);
  const anyone = { rejectUnauthorized: false };
  expect(await served(on, "www-ssl", anyone)).toEqual(["own"]);
  const old = {
    ...anyone,
    maxVersion: "TLSv1.1",
    minVersion: "TLSv1",
    ciphers: "DEFAULT@SECLEVEL=0",
  } as const;
  await expect(served(on, "www-ssl", old)).rejects.toThrow();
  await on.client.run("/ip/service/set", "=.id=www-ssl", "=tls-version=any");
  expect(await served(on, "www-ssl", old)).toEqual(["own"]);
  // A plain client gets nothing out of it, and the API's words are none of its.
  using plain = await RawClient.open(on.router.port("www-ssl"));
  plain.send("/login", "=name=admin", "=password=");
  await plain.closed;
});

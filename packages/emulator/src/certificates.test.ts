import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { type ConnectionOptions, connect } from "node:tls";
import { expect, test } from "vitest";
import { type Emulator, startEmulator } from "./index.ts";
import { RawClient } from "./testing/raw-client.ts";

const PORTS = { api: 0, "api-ssl": 0 };
const CA_USAGE = "=key-usage=key-cert-sign,crl-sign";
const LEAF_USAGE = "=key-usage=digital-signature,key-encipherment,tls-server";
// Curves are made in no time; RSA has a test of its own.
const EC = "=key-size=prime256v1";

async function start(options: Parameters<typeof startEmulator>[0] = {}) {
  const router = await startEmulator({ ports: PORTS, listen: ["api", "api-ssl"], ...options });
  const client = await RawClient.login(router.port("api"));
  return {
    router,
    run: (...words: string[]) => client.run(...words),
    rows: (...words: string[]) => client.rows(...words),
    async [Symbol.asyncDispose]() {
      client.close();
      await router.close();
    },
  };
}

type Started = Awaited<ReturnType<typeof start>>;

async function authorityAndLeaf(on: Started): Promise<void> {
  await on.run("/certificate/add", "=name=ca", "=common-name=Test CA", EC, CA_USAGE, "=days-valid=3650");
  await on.run("/certificate/sign", "=number=ca");
  const names = "=subject-alt-name=IP:127.0.0.1,DNS:router.example,IP:2001:db8::1";
  await on.run("/certificate/add", "=name=api", "=common-name=127.0.0.1", EC, LEAF_USAGE, names);
  await on.run("/certificate/sign", "=number=api", "=ca=ca");
}

/** What api-ssl shows to a client with these options. */
async function shown(router: Emulator, options: ConnectionOptions) {
  const socket = connect({ host: "127.0.0.1", port: router.port("api-ssl"), ...options });
  await once(socket, "secureConnect");
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  const protocol = socket.getProtocol();
  socket.destroy();
  return { certificate, protocol };
}

async function pemOf(on: Started, name: string): Promise<string> {
  await on.run("/certificate/export-certificate", `=.id=${name}`, `=file-name=${name}`);
  const file = on.router.control.rows("/file").find((row) => row.name === `${name}.crt`);
  return file?.contents ?? "";
}

const authenticated = async (on: Started) => ({
  ca: new X509Certificate(await pemOf(on, "ca")),
  leaf: new X509Certificate(await pemOf(on, "api")),
});

test("a template is signed by itself and becomes an authority", async () => {
  await using on = await start();
  await on.run("/certificate/add", "=name=ca", "=common-name=Test CA", EC, CA_USAGE);
  const [template] = await on.rows("/certificate/print");
  expect(template).toMatchObject({ "days-valid": "365", "digest-algorithm": "sha256", trusted: "false" });
  expect(template).not.toHaveProperty("fingerprint");

  const replies = await on.run("/certificate/sign", "=number=ca");
  expect(replies.map(([word]) => word)).toEqual(["!re", "!done"]);
  expect(replies[0]).toContain("=.section=0");

  const [row] = await on.rows("/certificate/print");
  expect(row).toMatchObject({ name: "ca", "private-key": "true", authority: "true", trusted: "true" });
  expect(row?.["expires-after"]).toMatch(/^52w|^51w/);
  const certificate = new X509Certificate(await pemOf(on, "ca"));
  expect(certificate.ca).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(row?.fingerprint);
});

test("a leaf is issued by its authority, with names and usages", async () => {
  await using on = await start();
  await authorityAndLeaf(on);
  const { ca, leaf } = await authenticated(on);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(leaf.checkHost("router.example")).toBe("router.example");
  expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(leaf.subject).toBe("CN=127.0.0.1");
  const rows = await on.rows("/certificate/print", "?name=api");
  expect(rows[0]).toMatchObject({ ca: "ca", issued: "true", authority: "false", trusted: "false" });
});

test("OpenSSL verifies the chain and reads every part of a full RSA certificate", async () => {
  await using on = await start();
  const subject = ["country=LV", "state=Riga", "locality=Riga", "organization=O", "unit=U"].map(
    (word) => `=${word}`,
  );
  await on.run("/certificate/add", "=name=ca", "=common-name=Žīgurs", "=key-size=1024", CA_USAGE, ...subject);
  await on.run("/certificate/sign", "=number=ca");
  await on.run(
    "/certificate/add",
    "=name=api",
    "=common-name=x",
    "=key-size=1024",
    "=digest-algorithm=sha512",
  );
  await on.run("/certificate/sign", "=number=api", "=ca=ca");
  const directory = mkdtempSync(`${tmpdir()}/certificates-`);
  try {
    const path = (name: string) => `${directory}/${name}.crt`;
    for (const name of ["ca", "api"]) writeFileSync(path(name), await pemOf(on, name));
    const openssl = (...args: string[]) => execFileSync("openssl", args, { encoding: "utf8" });
    expect(openssl("verify", "-auth_level", "0", "-CAfile", path("ca"), path("api"))).toContain("OK");
    const printed = openssl("x509", "-in", path("api"), "-noout", "-text");
    expect(printed).toContain("Signature Algorithm: sha512WithRSAEncryption");
    expect(printed).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
    expect(printed).toContain(
      "Digital Signature, Key Encipherment, Data Encipherment, Certificate Sign, CRL Sign",
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("api-ssl serves its certificate over TLS 1.2, and speaks the same API", async () => {
  await using on = await start();
  await authorityAndLeaf(on);
  await on.run("/ip/service/set", "=.id=api-ssl", "=certificate=api");
  const ca = await pemOf(on, "ca");
  const { certificate, protocol } = await shown(on.router, { ca });
  expect(certificate.subject).toBe("CN=127.0.0.1");
  expect(protocol).toBe("TLSv1.2");
  using secure = await RawClient.loginTls(on.router.port("api-ssl"), { tls: { ca } });
  expect(await secure.rows("/system/identity/print")).toEqual([{ name: "MikroTik" }]);
});

test("only-1.2 refuses what tls-version=any accepts", async () => {
  await using on = await start();
  await authorityAndLeaf(on);
  await on.run("/ip/service/set", "=.id=api-ssl", "=certificate=api");
  const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
  const ca = await pemOf(on, "ca");
  expect((await shown(on.router, { ca, ...old })).protocol).toBe("TLSv1.1");
  await on.run("/ip/service/set", "=.id=api-ssl", "=tls-version=only-1.2");
  await expect(shown(on.router, { ca, ...old })).rejects.toThrow();
  expect((await shown(on.router, { ca })).protocol).toBe("TLSv1.2");
});

test("certificate=none goes back to anonymous Diffie-Hellman", async () => {
  await using on = await start();
  await authorityAndLeaf(on);
  await on.run("/ip/service/set", "=.id=api-ssl", "=certificate=api");
  await on.run("/ip/service/set", "=.id=api-ssl", "=certificate=none");
  using secure = await RawClient.loginTls(on.router.port("api-ssl"));
  expect(await secure.rows("/system/identity/print")).toHaveLength(1);
});

test("what is no usable certificate can't be named", async () => {
  await using on = await start();
  const noMatch = (argument: string) => [
    ["!trap", "=category=1", `=message=input does not match any value of ${argument}`],
    ["!done"],
  ];
  await on.run("/certificate/add", "=name=template", "=common-name=x", EC);
  expect(await on.run("/ip/service/set", "=.id=api-ssl", "=certificate=nothing")).toEqual(
    noMatch("certificate"),
  );
  expect(await on.run("/ip/service/set", "=.id=api-ssl", "=certificate=template")).toEqual(
    noMatch("certificate"),
  );
  expect(await on.run("/certificate/sign", "=number=template", "=ca=nothing")).toEqual(noMatch("ca"));
  expect((await on.run("/certificate/sign", "=number=nothing"))[0]).toContain("=message=no such item");
  expect((await on.run("/certificate/add", "=common-name=x"))[0]).toContain(
    "=message=failure: At least one field specifying certificate name must be set!",
  );
});

test("late-certificate makes a signed certificate unknown for a while", async () => {
  await using on = await start();
  on.router.control.inject({ kind: "late-certificate", ms: 3000, times: 1 });
  await on.run("/certificate/add", "=name=ca", "=common-name=ca", EC);
  await on.run("/certificate/sign", "=number=ca");
  const set = () => on.run("/ip/service/set", "=.id=api-ssl", "=certificate=ca");
  expect((await set())[0]).toContain("=message=input does not match any value of certificate");
  on.router.control.advanceClock(3000);
  expect(await set()).toEqual([["!done"]]);
});

test("removing an authority removes everything it signed", async () => {
  await using on = await start();
  await authorityAndLeaf(on);
  await on.run("/certificate/add", "=name=other", "=common-name=other", EC);
  expect(await on.run("/certificate/remove", "=numbers=ca,api")).toEqual([["!done"]]);
  expect((await on.rows("/certificate/print")).map((row) => row.name)).toEqual(["other"]);
});

test("the key leaves the router encrypted and with a passphrase alone", async () => {
  await using on = await start();
  await authorityAndLeaf(on);
  await on.run("/certificate/export-certificate", "=.id=api", "=export-passphrase=12345678");
  const files = new Map(on.router.control.rows("/file").map((row) => [row.name, row.contents]));
  expect([...files.keys()]).toEqual(["cert_export_api.crt", "cert_export_api.key"]);
  const key = { key: files.get("cert_export_api.key") ?? "", passphrase: "12345678" };
  const leaf = new X509Certificate(files.get("cert_export_api.crt") ?? "");
  expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
  const shownToAnyone = JSON.stringify(await on.rows("/certificate/print"));
  expect(shownToAnyone).not.toContain("PRIVATE KEY");
});

test("certificates are in the state file and served after a restart", async () => {
  const directory = mkdtempSync(`${tmpdir()}/certificates-`);
  const stateFile = `${directory}/state.json`;
  try {
    let ca = "";
    {
      await using on = await start({ stateFile });
      await authorityAndLeaf(on);
      await on.run("/ip/service/set", "=.id=api-ssl", "=certificate=api");
      ca = await pemOf(on, "ca");
    }
    await using again = await start({ stateFile });
    expect((await shown(again.router, { ca })).certificate.subject).toBe("CN=127.0.0.1");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

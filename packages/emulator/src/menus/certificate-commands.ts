import { createPrivateKey, type KeyObject } from "node:crypto";
import { importPem } from "../certificate-import.ts";
import { isSigned, keepsKey, pemOf, requestFrom, signTemplate } from "../certificates.ts";
import { formatTime } from "../clock.ts";
import type { Features } from "../features.ts";
import { contentsOf } from "../files.ts";
import { refusals } from "../refusal.ts";
import type { Item } from "../table.ts";
import { boolean } from "../values.ts";
import type { MenuHost, OwnCommand } from "./menu.ts";

/** Names of the files a request leaves; source: public guides that use them, MikroTik's manual has no names. */
const REQUEST_FILE = "certificate-request.pem";
const KEY_FILE = "certificate-request_key.pem";

/** Of the arguments of `sign`, `import` and `create-certificate-request`: what a command that takes its time has. */
const PROGRESS = ["once", "interval", "duration", "as-value"];

/** Takes the template in `=number=`; answers a progress row, then `!done` once it is signed. */
export const sign: OwnCommand = {
  arguments: ["number", ".id", "numbers", "ca", "ca-crl-host", "name", ...PROGRESS],
  unnamed: ["number"],
  flags: ["once"],
  policy: ["write", "sensitive"],
  slow: true,
  async run(router, given, _items, { row }) {
    const target = given.number ?? given[".id"] ?? given.numbers;
    if (target === undefined) throw refusals.missing("number");
    if (given["ca-crl-host"] !== undefined) throw refusals.notEmulated("certificate revocation lists");
    await router.exclusive(async () => {
      const template = findTemplate(router, target);
      if (!template) throw refusals.noItem();
      const item = await signTemplate(router, template, given.ca).catch(refuseUnsignable);
      if (given.name) router.table("/certificate").set(item, { ...item.values, name: given.name });
      router.commit();
    });
    // The console shows `progress: done`; what the row is called over the API was never captured.
    row({ progress: "done", ".section": "0" });
    return undefined;
  },
};

function findTemplate(router: MenuHost, target: string): Item | undefined {
  const { items } = router.table("/certificate");
  const found = items.find(({ id, values }) => id === target || values.name === target);
  if (found && isSigned(found)) throw refusals.notEmulated("signing a certificate again");
  return found;
}

/** md5 with a curve, or an address that is none. */
function refuseUnsignable(error: unknown): never {
  if (error instanceof RangeError) throw refusals.notEmulated(`a certificate with ${error.message}`);
  throw error;
}

/** Writes the request of a template and the key made for it, encrypted where there is a passphrase. */
export const createRequest: OwnCommand = {
  arguments: ["template", "challenge-passphrase", "key-passphrase", "unstructured-address", ...PROGRESS],
  flags: ["once"],
  policy: ["write", "sensitive"],
  slow: true,
  async run(router, given, _items, { row }) {
    if (given.template === undefined) throw refusals.missing("template");
    const template = findTemplate(router, given.template);
    if (!template) throw refusals.noMatch("template");
    const asked = {
      challenge: given["challenge-passphrase"],
      unstructuredAddress: given["unstructured-address"],
    };
    const { request, privateKey } = await requestFrom(template, asked).catch(refuseUnsignable);
    router.files.write(REQUEST_FILE, request);
    router.files.write(KEY_FILE, keyText(privateKey, given["key-passphrase"]));
    row({ progress: "done", ".section": "0" });
    return undefined;
  },
};

const keyText = (key: KeyObject, passphrase: string | undefined): string =>
  key.export({
    format: "pem",
    type: "pkcs8",
    ...(passphrase ? { cipher: "aes-256-cbc", passphrase } : {}),
  }) as string;

/** Takes certificates and keys from a PEM file and answers how many. */
export const importCertificate = (features: Features): OwnCommand => ({
  arguments: [
    ...["file-name", "name", "passphrase", "as-value"],
    ...(features.importTrusted ? ["trusted", "no-key-export"] : []),
    ...(features.trustStores ? ["trust-store"] : []),
  ],
  unnamed: ["file-name"],
  policy: ["write", "sensitive"],
  async run(router, given, _items, { row }) {
    if (given["file-name"] === undefined) throw refusals.missing("file-name");
    if (given["trust-store"] !== undefined) throw refusals.notEmulated("trust stores");
    const file = router.files.find(given["file-name"]);
    if (!file || file.values.type === "directory") throw refusals.noMatch("file-name");
    const yes = (name: string, usual: boolean) =>
      given[name] === undefined ? usual : boolean.read(given[name], name) === "true";
    const options = {
      file: file.values.name ?? "",
      name: given.name || undefined,
      passphrase: given.passphrase ?? "",
      trusted: yes("trusted", true),
      keepKeys: yes("no-key-export", false),
    };
    const imported = await router.exclusive(() => importPem(router, contentsOf(file), options));
    router.commit();
    row(Object.fromEntries(Object.entries(imported).map(([name, count]) => [name, String(count)])));
  },
});

/** Writes `<file-name>.crt`, and the key as `<file-name>.key` where there is a passphrase to encrypt it. */
export const exportCertificate: OwnCommand = {
  arguments: ["type", "export-passphrase", "file-name"],
  policy: ["sensitive"],
  targets: true,
  run(router, given, items) {
    if ((given.type ?? "pem") !== "pem") throw refusals.notEmulated("PKCS #12");
    for (const item of items) {
      const pem = pemOf(item);
      if (!pem) throw refusals.notEmulated("the export of a template");
      const file = given["file-name"] || `cert_export_${item.values.name}`;
      router.files.write(`${file}.crt`, pem.cert);
      const passphrase = given["export-passphrase"];
      if (passphrase && pem.key && !keepsKey(item)) {
        router.files.write(`${file}.key`, keyText(createPrivateKey(pem.key), passphrase));
      }
    }
    router.commit();
    return undefined;
  },
};

/** A certificate this router issued is revoked: it says since when, and is none of the issued ones any more. */
export const revokeIssued: OwnCommand = {
  arguments: [],
  policy: ["write", "sensitive"],
  targets: true,
  run(router, _given, items) {
    if (items.some(({ values }) => values.issued !== "true")) {
      throw refusals.notEmulated("revoking a certificate the router has not issued");
    }
    const revoked = formatTime(router.clock.now(), router.features.isoDates);
    const table = router.table("/certificate");
    for (const item of items) table.set(item, { ...item.values, issued: "false", revoked });
    router.commit();
  },
};

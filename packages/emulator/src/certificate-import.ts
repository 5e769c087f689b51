import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { describe, keepingKey, pemOf, withKey } from "./certificates.ts";
import type { Router } from "./router.ts";
import type { Item } from "./table.ts";

/** What `/certificate/import` counts, by RouterOS's names. */
export interface Imported {
  readonly "certificates-imported": number;
  readonly "private-keys-imported": number;
  readonly "files-imported": number;
  readonly "decryption-failures": number;
  readonly "keys-with-no-certificate": number;
}

export interface ImportOptions {
  /** Names the rows: `name`, or the file's name and a number. */
  readonly file: string;
  readonly name: string | undefined;
  readonly passphrase: string;
  readonly trusted: boolean;
  readonly keepKeys: boolean;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/g;

/**
 * Take certificates and private keys from a PEM file into `/certificate`. A key belongs to the certificate whose
 * public key is its own, imported with it or before. A certificate the router has already is left as it is.
 */
export async function importPem(router: Router, text: string, options: ImportOptions): Promise<Imported> {
  const certificates = text.match(CERTIFICATE) ?? [];
  const keys = (text.match(PRIVATE_KEY) ?? []).map((pem) => readKey(pem, options.passphrase));
  const added: Item[] = [];
  for (const pem of certificates) added.push(...(await addCertificate(router, `${pem}\n`, options)));
  const read = keys.filter((key) => key !== undefined);
  const placed = read.filter((key) => giveKey(router, key, options.keepKeys));
  return {
    "certificates-imported": added.length,
    "private-keys-imported": placed.length,
    "files-imported": added.length + placed.length > 0 ? 1 : 0,
    "decryption-failures": keys.length - read.length,
    "keys-with-no-certificate": read.length - placed.length,
  };
}

/** @returns undefined where the passphrase doesn't open it, or it is no key */
function readKey(pem: string, passphrase: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    return undefined;
  }
}

async function addCertificate(router: Router, pem: string, options: ImportOptions): Promise<readonly Item[]> {
  const table = router.table("/certificate");
  const described = await read(router, pem);
  if (!described) return [];
  if (table.items.some(({ values }) => values.fingerprint === described.fingerprint)) return [];
  const values = {
    ...described,
    name: freeName(router, options),
    trusted: String(options.trusted),
    "private-key": "false",
  };
  return [table.add(values)];
}

async function read(router: Router, pem: string): Promise<Record<string, string> | undefined> {
  try {
    return await describe(router, pem);
  } catch {
    return undefined;
  }
}

/** `name` if it is given and free, else the first free number behind it, or behind the name of the file. */
function freeName(router: Router, { name, file }: ImportOptions): string {
  const taken = new Set(router.table("/certificate").items.map(({ values }) => values.name));
  if (name !== undefined && !taken.has(name)) return name;
  let number = 0;
  while (taken.has(`${name ?? file}_${number}`)) number += 1;
  return `${name ?? file}_${number}`;
}

/** @returns whether there is a certificate for it */
function giveKey(router: Router, key: KeyObject, keeps: boolean): boolean {
  const table = router.table("/certificate");
  const own = createPublicKey(key);
  const owner = table.items.find((item) => {
    const { cert } = pemOf(item) ?? {};
    return cert !== undefined && new X509Certificate(cert).publicKey.equals(own);
  });
  if (!owner) return false;
  table.set(owner, { ...owner.values, ...withKey(key), ...(keeps ? keepingKey : {}) });
  return true;
}

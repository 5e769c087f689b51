/** X.509 as `@peculiar/x509` has it, ready to be used: it wants a polyfill first, and to be told whose WebCrypto. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { cryptoProvider } from "@peculiar/x509";

cryptoProvider.set(webcrypto);

export * from "@peculiar/x509";

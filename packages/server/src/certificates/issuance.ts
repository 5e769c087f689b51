/** How a certificate comes about on a router, as rows: signed by itself, or by the customer's authority. Pure. */
import { certificate, type Row } from "@portreeve/routeros";
import type { DesiredRow, NextCommand, Observed, SecretReference } from "../reconcile/types.ts";
import { CERTIFICATES, type RequestFacts } from "./facts.ts";
import { fileIn, isFor, KEY_FILE, REQUEST_FILE, requestState } from "./request.ts";

/** Signed, and with its key. */
export function isComplete(row: Row | undefined): row is Row {
  return Boolean(row?.fingerprint) && row?.["private-key"] === "true";
}

/** A template, then `sign`. */
export function selfSigned(name: string, fields: DesiredRow["fields"], observed: Observed): DesiredRow {
  const there = find(observed, name);
  const sign = { command: "sign", values: { number: name } } as const;
  if (!there) return { key: name, fields, nextCommand: "add" };
  return { key: name, fields, nextCommand: there.fingerprint ? "none" : sign };
}

/**
 * A template, a request made of it, and the signed certificate imported before its key, all on the router: the key is
 * in a file there, encrypted, until it is imported.
 */
export function issued(
  request: RequestFacts,
  fields: DesiredRow["fields"],
  observed: Observed,
): DesiredRow[] {
  const { name } = request;
  const there = find(observed, name);
  const { kind } = requestState(observed, request);
  const rows: DesiredRow[] = [];
  if (request.isClear && !there && kind === "free") {
    const key = `${name}-request`;
    const nextCommand = find(observed, key) ? ask(name, key) : "add";
    rows.push({ key, fields: { ...fields, unit: name }, nextCommand });
  }
  // One whose key is lost is removed, and made anew.
  if (there && !isComplete(there) && !hasKey(observed)) return rows;
  return [...rows, { key: name, fields: {}, nextCommand: importNext(name, there, kind === "issued") }];
}

function ask(name: string, template: string): NextCommand {
  return {
    command: "create-certificate-request",
    values: { template },
    secrets: { "key-passphrase": passphraseOf(name) },
  };
}

function importNext(name: string, there: Row | undefined, isIssued: boolean): NextCommand | "none" {
  if (isComplete(there)) return "none";
  if (there) return { ...imported(KEY_FILE, name), secrets: { passphrase: passphraseOf(name) } };
  return isIssued ? imported(REQUEST_FILE, name) : "none";
}

function passphraseOf(name: string): SecretReference {
  return { of: CERTIFICATES, id: name };
}

function imported(file: string, name: string): NextCommand {
  return { command: "import", values: { "file-name": file, name } };
}

/** The signed certificate takes the request's place, which RouterOS 6 can do too; both files stay until it is done. */
export function requestFiles(request: RequestFacts, observed: Observed): DesiredRow[] {
  const { name, issued } = request;
  if (isComplete(find(observed, name))) return [];
  const files = [REQUEST_FILE, KEY_FILE].filter((key) => fileIn(observed, key) !== undefined);
  const kept = files.map((key) => ({ key, fields: {} }));
  const state = requestState(observed, request);
  const isAsked = issued !== null && state.kind === "requested" && isFor(issued, state.pem);
  return isAsked ? [...kept, { key: REQUEST_FILE, fields: { contents: issued } }] : kept;
}

const hasKey = (observed: Observed) => fileIn(observed, KEY_FILE) !== undefined;

function find(observed: Observed, name: string): Row | undefined {
  return observed.get(certificate.path)?.find((row) => row.name === name);
}

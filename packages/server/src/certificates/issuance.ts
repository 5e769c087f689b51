/** How a certificate comes about on a router, as rows: signed by itself, or by the customer's authority. Pure. */
import { certificate, type Row } from "@portreeve/routeros";
import type { DesiredRow, NextCommand, Observed } from "../reconcile/types.ts";
import type { RequestFacts } from "./facts.ts";
import { fileIn, isFor, KEY_FILE, REQUEST_FILE, requestState } from "./request.ts";

/** Signed, and with its key. */
export function isComplete(row: Row | undefined): row is Row {
  return Boolean(row?.fingerprint) && row?.["private-key"] === "true";
}

/** A template, then `sign`. */
export function selfSigned(name: string, fields: DesiredRow["fields"]): DesiredRow {
  return {
    key: name,
    fields,
    nextCommand: (there) => {
      if (!there) return "add";
      return there.fingerprint ? undefined : { command: "sign", values: { number: name } };
    },
  };
}

/**
 * A template, a request made of it, and the signed certificate imported before its key, all on the router: the key is
 * in a file there, encrypted, until it is imported.
 */
export function issued(request: RequestFacts, fields: DesiredRow["fields"]): DesiredRow[] {
  const { name, passphrase, isClear } = request;
  const template = `${name}-request`;
  const row = (observed: Observed) => find(observed, name);
  const isWanted = (observed: Observed) =>
    isClear && !row(observed) && requestState(observed, request).kind === "free";
  const asked: NextCommand = {
    command: "create-certificate-request",
    values: { template },
    secrets: { "key-passphrase": passphrase },
  };
  return [
    {
      key: template,
      fields: { ...fields, unit: name },
      when: isWanted,
      nextCommand: (there) => (there ? asked : "add"),
    },
    {
      key: name,
      fields: {},
      // One whose key is lost is removed, and made anew.
      when: (observed) => !row(observed) || isComplete(row(observed)) || hasKey(observed),
      nextCommand: (there, observed) => {
        if (isComplete(there)) return undefined;
        if (there) return { ...imported(KEY_FILE, name), secrets: { passphrase } };
        return requestState(observed, request).kind === "issued" ? imported(REQUEST_FILE, name) : undefined;
      },
    },
  ];
}

function imported(file: string, name: string): NextCommand {
  return { command: "import", values: { "file-name": file, name } };
}

/** The signed certificate takes the request's place, which RouterOS 6 can do too; both files stay until it is done. */
export function requestFiles(request: RequestFacts): DesiredRow[] {
  const { name, issued } = request;
  const isUnderWay = (observed: Observed) => !isComplete(find(observed, name));
  const kept = [REQUEST_FILE, KEY_FILE].map((key) => ({
    key,
    fields: {},
    when: (observed: Observed) => isUnderWay(observed) && fileIn(observed, key) !== undefined,
  }));
  if (issued === null) return kept;
  const isAsked = (observed: Observed) => {
    const state = requestState(observed, request);
    return state.kind === "requested" && isFor(issued, state.pem);
  };
  return [...kept, { key: REQUEST_FILE, fields: { contents: issued }, when: isAsked }];
}

const hasKey = (observed: Observed) => fileIn(observed, KEY_FILE) !== undefined;

function find(observed: Observed, name: string): Row | undefined {
  return observed.get(certificate.path)?.find((row) => row.name === name);
}

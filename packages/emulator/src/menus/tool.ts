import { rootCertificates } from "node:tls";
import { requirePolicies } from "../caller.ts";
import { pemOf } from "../certificates.ts";
import type { Features } from "../features.ts";
import { type FetchRequest, fetchUrl, parseHeaders } from "../fetch.ts";
import { refusals } from "../refusal.ts";
import { integer, oneOf, readSeconds } from "../values.ts";
import { requireDevice } from "./device-mode.ts";
import type { Answer, Asked, Menu, MenuHost, OwnCommand } from "./menu.ts";

type Given = Readonly<Record<string, string>>;

/** Bytes that reach a variable; what is longer is cut without a word. Source: manual, "Fetch". */
const TO_USER = { user: 64_512, "user-with-headers": 20_480 };

/** Source: argument list and values of the 7.22.3 dump. */
const METHODS = ["get", "post", "put", "patch", "delete", "head"];
const OUTPUTS = ["file", "none", "user", "user-with-headers"];
const MODES = ["http", "https", "ftp", "sftp", "tftp"];

const ARGUMENTS = [
  "address",
  "as-value",
  "ascii",
  "certificate",
  "check-certificate",
  "dst-path",
  "duration",
  "host",
  "http-data",
  "http-header-field",
  "http-method",
  "idle-timeout",
  "keep-result",
  "mode",
  "once",
  "output",
  "password",
  "port",
  "src-address",
  "src-path",
  "upload",
  "url",
  "user",
];

/** RouterOS can do these; the emulator refuses them by name. */
const NOT_EMULATED = ["address", "ascii", "certificate", "host", "port", "src-path", "upload"];

function urlOf(given: Given): URL {
  if (given.url === undefined) throw refusals.missing("url");
  const mode = given.mode === undefined ? undefined : oneOf(MODES).read(given.mode, "mode");
  const text = /^[a-z]+:\/\//i.test(given.url) ? given.url : `${mode ?? "http"}://${given.url}`;
  const url = URL.parse(text);
  if (!url) throw refusals.invalidValue("url");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refusals.notEmulated(`fetch over ${url.protocol.slice(0, -1)}`);
  }
  return url;
}

/** `keep-result=no` is the older way to say `output=none`. */
function outputOf(given: Given): string {
  if (given.output !== undefined) return oneOf(OUTPUTS).read(given.output, "output");
  return given["keep-result"] === "no" ? "none" : "file";
}

/** Imported authorities, and from 7.19 those RouterOS brings along. */
function trustedBy(router: MenuHost): readonly string[] {
  const { items } = router.table("/certificate");
  const own = items.flatMap((item) => (item.values.trusted === "true" ? (pemOf(item)?.cert ?? []) : []));
  return router.features.builtinAuthorities ? [...own, ...rootCertificates] : own;
}

function requestOf(router: MenuHost, given: Given, signal: AbortSignal): FetchRequest {
  const { version, features, address } = router;
  const headers = parseHeaders(given["http-header-field"] ?? "");
  if (!headers) throw refusals.invalidValue("http-header-field");
  const data = given["http-data"];
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  if (data !== undefined && !names.includes("content-type")) {
    headers["Content-Type"] = "application/x-www-form-urlencoded";
  }
  if (given.user !== undefined && !names.includes("authorization")) {
    const login = Buffer.from(`${given.user}:${given.password ?? ""}`).toString("base64");
    headers.Authorization = `Basic ${login}`;
  }
  if (!names.includes("user-agent")) headers["User-Agent"] = `RouterOS ${version}`;
  const check = oneOf(["no", "yes", "yes-without-crl"]).read(
    given["check-certificate"] ?? "no",
    "check-certificate",
  );
  const redirects = features.fetchRedirects ? "2" : "0";
  const idle = given["idle-timeout"] ?? "10s";
  return {
    url: urlOf(given),
    method: oneOf(METHODS).read(given["http-method"] ?? (data === undefined ? "get" : "post"), "http-method"),
    headers,
    data,
    checkCertificate: check !== "no",
    trusted: trustedBy(router),
    redirects: Number(
      integer(0, 100).read(given["http-max-redirect-count"] ?? redirects, "http-max-redirect-count"),
    ),
    idleMs: idle === "none" ? undefined : (readSeconds(idle) ?? 10) * 1000,
    durationMs: given.duration === undefined ? undefined : (readSeconds(given.duration) ?? 0) * 1000,
    sourceAddress: given["src-address"] ?? address,
    signal,
  };
}

async function run(router: MenuHost, given: Given, asked: Asked): Promise<Answer | undefined> {
  requireDevice(router, "fetch");
  for (const name of NOT_EMULATED)
    if (given[name] !== undefined) throw refusals.notEmulated(`fetch ${name}=`);
  const output = outputOf(given);
  if (output === "file") requirePolicies(asked.caller, ["ftp"]);
  const request = requestOf(router, given, asked.signal);
  let section = 0;
  const row = (values: Given) =>
    asked.row({ ...values, ...(asked.console ? {} : { ".section": String(section++) }) });
  row({ status: "connecting" });
  const result = await fetchUrl(request, (progress) => row({ status: "downloading", ...progress }));
  row({ status: "finished", ...result.progress, ...dataOf(result, output) });
  if (output === "file") {
    const name = given["dst-path"] ?? (request.url.pathname.split("/").at(-1) || "index.html");
    router.files.write(name, result.text(result.body));
  }
  return undefined;
}

function dataOf(result: Awaited<ReturnType<typeof fetchUrl>>, output: string): Given {
  if (output !== "user" && output !== "user-with-headers") return {};
  const data = result.text(result.body.subarray(0, TO_USER[output]));
  return output === "user" ? { data } : { data, "http-headers": result.headers.join("\r\n") };
}

/** `/tool` itself holds no rows. */
export const tool = (features: Features): Menu => {
  const fetch: OwnCommand = {
    arguments: [...ARGUMENTS, ...(features.fetchRedirects ? ["http-max-redirect-count"] : [])],
    unnamed: ["url"],
    flags: ["as-value", "once"],
    policy: ["test"],
    slow: true,
    run: (router, given, _items, asked) => run(router, given, asked),
  };
  return { path: "/tool", commands: [], fields: {}, own: { fetch } };
};

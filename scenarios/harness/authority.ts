import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What PUT /v1/certificate-authority takes. */
export interface AuthorityFiles {
  readonly certificate: string;
  readonly private_key: string;
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/** An authority as OpenSSL makes one; options of `openssl req` say what is unusual about it. */
export function makeAuthority(
  name: string,
  { key = CURVE, basicConstraints = "CA:TRUE", more = [] as readonly string[] } = {},
): AuthorityFiles {
  const directory = mkdtempSync(join(tmpdir(), "portreeve-authority-"));
  const [keyFile, certificateFile] = [join(directory, "key"), join(directory, "crt")];
  const subject = ["-subj", `/O=Example/CN=${name}`, "-days", "400"];
  const extensions = ["-addext", `basicConstraints=critical,${basicConstraints}`, ...more];
  const files = ["-nodes", "-keyout", keyFile, "-out", certificateFile];
  try {
    execFileSync("openssl", ["req", "-x509", ...key, ...subject, ...extensions, ...files], { stdio: "pipe" });
    return {
      certificate: readFileSync(certificateFile, "utf8"),
      private_key: readFileSync(keyFile, "utf8"),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

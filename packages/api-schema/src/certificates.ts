import { z } from "zod";
import { isoTime } from "./fields.ts";

/** RSA keys of 8192 bits have 6.5 KB in PEM; chains are not taken. */
const pem = z.string().min(1, "must not be empty").max(20_000, "must be at most 20000 characters");

export const certificateAuthorityInput = z
  .strictObject({
    certificate: pem.describe("One certificate in PEM, of an authority: CA:TRUE, keyCertSign"),
    private_key: pem.describe(
      "Its key in PEM, without a passphrase: RSA, P-256, P-384 or P-521. Never shown again",
    ),
  })
  .meta({ id: "CertificateAuthorityInput" });
export type CertificateAuthorityInput = z.infer<typeof certificateAuthorityInput>;

export const certificateAuthority = z
  .strictObject({
    certificate: z.string(),
    fingerprint: z.string().describe("SHA-256"),
    subject: z.string(),
    not_after: isoTime,
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "CertificateAuthority" });
export type CertificateAuthority = z.infer<typeof certificateAuthority>;

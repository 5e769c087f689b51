import { Secret } from "../vault/index.ts";

/**
 * URL form of a policy's name and ten random characters, so that two policies of one name differ:
 * `My New Policy` becomes `my-new-policy-1R9lznKst4`. Made once; a rename leaves it.
 */
export function makeSlug(name: string): string {
  const words = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{Mark}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return `${words || "policy"}-${Secret.generate(10).reveal()}`;
}

/**
 * The form of our tokens: `prv_<8 hex digits>_<32 letters and digits>_<6 letters and digits>`, 53 characters.
 * - The prefix lets secret scanners find one in a repository or a log.
 * - The digits are the first of the token's id, to tell from a found token which one to revoke.
 * - The 32 characters hold 190 random bits.
 * - The last six are the CRC-32 of everything before them in base 62, so that a scanner can rule out look-alikes
 *   without asking us. They protect nothing.
 */
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Secret } from "../vault/index.ts";

const BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM_CHARACTERS = 6;

/** Shorter texts are no tokens: they would be guessed. Longer than any we make or take are none either. */
const MIN_TOKEN_CHARACTERS = 32;
const MAX_TOKEN_CHARACTERS = 512;

/** @param tokenId the UUID of the token's row */
export function generateToken(tokenId: string): Secret {
  const body = `prv_${tokenId.slice(0, 8)}_${Secret.generate(32).reveal()}`;
  return new Secret(`${body}_${checksum(body)}`);
}

/** What is stored: SHA-256 is enough, because the text is random and not somebody's password. */
export function hashToken(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/** @returns what is wrong with a token chosen by an operator, or undefined */
export function problemWithToken(text: string): string | undefined {
  if (text.length < MIN_TOKEN_CHARACTERS)
    return `it has ${text.length} characters; ${MIN_TOKEN_CHARACTERS} are needed`;
  if (text.length > MAX_TOKEN_CHARACTERS) return `it has more than ${MAX_TOKEN_CHARACTERS} characters`;
  if (!/^[\x21-\x7e]+$/.test(text)) return "it holds a space or a character that is not ASCII";
  return undefined;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let place = 0; place < CHECKSUM_CHARACTERS; place++) {
    digits = `${BASE_62[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

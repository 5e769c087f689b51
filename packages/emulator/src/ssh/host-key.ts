import { createPrivateKey, createPublicKey } from "node:crypto";

/** PKCS #8 head of an Ed25519 private key, RFC 8410; the 32 bytes of the key follow it. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const KIND = "ssh-ed25519";
const BLOCK_BYTES = 8;

/**
 * An Ed25519 host key in OpenSSH's private key format (PROTOCOL.key in its sources), unencrypted.
 * Written here because ssh2's own writer drops leading zero bytes and has no way to give the key.
 * @param secret the 32 bytes of the private key
 */
export function hostKeyOf(secret: Uint8Array): string {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: "der", type: "pkcs8" });
  const point = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const check = point.subarray(0, 4);
  const secrets = Buffer.concat([
    check,
    check,
    text(KIND),
    field(point),
    field(Buffer.concat([secret, point])),
    text(""),
  ]);
  const padding = Array.from({ length: -secrets.length & (BLOCK_BYTES - 1) }, (_, index) => index + 1);
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    number(1),
    field(Buffer.concat([text(KIND), field(point)])),
    field(Buffer.concat([secrets, Buffer.from(padding)])),
  ]);
  const lines = file.toString("base64").replace(/(.{70})(?=.)/g, "$1\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const field = (bytes: Uint8Array): Buffer => Buffer.concat([number(bytes.length), bytes]);
const text = (value: string): Buffer => field(Buffer.from(value));

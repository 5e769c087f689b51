export { KeyFileError } from "./errors.ts";
export { Keyring } from "./keyring.ts";
export { Secret } from "./secret.ts";
export { openVault, Vault } from "./vault.ts";

export { KeyFileError } from "./errors.ts";
export { Keyring } from "./keyring.ts";
export { PASSWORD_LENGTHS } from "./password-lengths.ts";
export { Secret } from "./secret.ts";
export { openVault, Vault } from "./vault.ts";

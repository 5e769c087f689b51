export type { Binding } from "./errors.ts";
export { KeyFileError, SealedValueError, WrongMasterKeyError } from "./errors.ts";
export { Keyring, loadKeyring } from "./keyring.ts";
export { Secret } from "./secret.ts";
export { openVault, Vault } from "./vault.ts";

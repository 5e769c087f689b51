/** The key file can't be used as it is; the message says what to do. The server doesn't start. */
export class KeyFileError extends Error {
  readonly code = "key-file";
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`master key file ${path}: ${problem}`, options);
    this.name = "KeyFileError";
    this.path = path;
  }
}

/** A customer's data key can't be unwrapped: the master key file is another one than it was sealed with. */
export class WrongMasterKeyError extends Error {
  readonly code = "wrong-master-key";
  readonly customerId: string;
  readonly keyVersion: number;

  constructor(customerId: string, keyVersion: number, problem: string) {
    super(
      `the data key of customer ${customerId} was sealed with version ${keyVersion} of a master key: ${problem}. ` +
        "Put back the master key file this database was used with.",
    );
    this.name = "WrongMasterKeyError";
    this.customerId = customerId;
    this.keyVersion = keyVersion;
  }
}

/** Where a sealed value lives; a value opens in this place only. */
export interface Binding {
  table: string;
  column: string;
  rowId: string;
}

/** A sealed value was damaged, moved from another place or customer, or sealed with a data key that is gone. */
export class SealedValueError extends Error {
  readonly code = "sealed-value";
  readonly customerId: string;
  readonly binding: Binding;

  constructor(customerId: string, binding: Binding) {
    super(
      `the sealed value in ${binding.table}.${binding.column} of row ${binding.rowId} does not open: ` +
        "it was damaged, moved from another row, or sealed with another key",
    );
    this.name = "SealedValueError";
    this.customerId = customerId;
    this.binding = binding;
  }
}

import { access } from "node:fs/promises";
import { type Emulator, type EmulatorOptions, type ServiceName, startEmulator } from "@portreeve/emulator";
import { OperatorError } from "../errors.ts";
import { listenProblem, probeListen } from "../listen.ts";
import { facts, table } from "../print.ts";
import { readPassword } from "../secret-input.ts";
import { shutdownOnSignal } from "../signals.ts";

/** What the command line gave, as text. */
export interface EmulateFlags {
  readonly address?: string | undefined;
  readonly version?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly identity?: string | undefined;
  readonly model?: string | undefined;
  readonly stateFile?: string | undefined;
  readonly ports: Readonly<Partial<Record<ServiceName, string>>>;
}

/**
 * Run one emulated router until a signal.
 * @throws OperatorError the address, version, a port, the password or the state file can't be used
 */
export async function emulate(
  flags: EmulateFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  using shutdown = shutdownOnSignal();
  const options = await emulatorOptions(flags, environment);
  const restored = options.stateFile !== undefined && (await exists(options.stateFile));
  await using router = await start(options);
  process.stdout.write(`${await describe(router, options, restored)}\n`);
  await Promise.race([shutdown.requested, router.closed]);
}

async function emulatorOptions(
  flags: EmulateFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<EmulatorOptions> {
  const { address, version, user, passwordFile, identity, model, stateFile } = flags;
  if (flags.password !== undefined && passwordFile !== undefined) {
    throw new OperatorError("give --password or --password-file, not both");
  }
  const password =
    passwordFile === undefined
      ? (flags.password ?? environment.PORTREEVE_EMULATOR_PASSWORD)
      : await readPassword(passwordFile);
  const given = { address, version, username: user, password, identity, model, stateFile };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ports: Object.fromEntries(Object.entries(flags.ports).map(([service, port]) => [service, portOf(port)])),
  };
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new OperatorError(`${text} is no port: write a number from 0 to 65535`);
}

async function start(options: EmulatorOptions): Promise<Emulator> {
  const { address = "127.0.0.1" } = options;
  try {
    await probeListen(address, 0);
    return await startEmulator(options);
  } catch (error) {
    const problem = listenProblem(error);
    if (problem !== undefined) throw new OperatorError(`--address: ${address} ${problem}`);
    throw error;
  }
}

async function describe(router: Emulator, options: EmulatorOptions, restored: boolean): Promise<string> {
  const { control, address, version } = router;
  const users = control.rows("/user").map(({ name }) => name);
  const head = facts({
    RouterOS: version,
    Address: address,
    Identity: control.rows("/system/identity")[0]?.name,
    [users.length === 1 ? "User" : "Users"]: users.join(", "),
    ...(options.stateFile === undefined
      ? {}
      : { State: `${options.stateFile}${restored ? " (the router is as it was)" : ""}` }),
  });
  const services = control.rows("/ip/service").filter(({ dynamic }) => dynamic !== "true");
  const rows = await Promise.all(
    services.map(async (row) => [row.name, row.port, await stateOf(row, address)]),
  );
  return `${head}\n\n${table(["service", "port", "state"], rows)}`;
}

/** The router's own word for it; for an invalid service with the reason this machine gives. */
async function stateOf(row: Readonly<Record<string, string>>, address: string): Promise<string> {
  if (row.disabled === "true") return "disabled";
  if (row.invalid !== "true") return "enabled";
  try {
    await probeListen(address, Number(row.port));
    return "invalid";
  } catch (error) {
    return `invalid: the port ${listenProblem(error) ?? "can't be opened"}`;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

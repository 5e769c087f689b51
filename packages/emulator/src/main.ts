import { parseArgs } from "node:util";
import { type Emulator, startEmulator } from "./emulator.ts";
import { startFleet } from "./fleet.ts";
import { SERVICE_NAMES, type ServiceName } from "./options.ts";

const USAGE = `portreeve-emulator [options]: RouterOS in a process, until it is stopped

  --address <address>    where to listen; 127.77.0.1 by default
  --version <version>    RouterOS version, 7.16 by default
  --user, --password     first user; admin with an empty password
  --no-ipv6               a RouterOS 6 without its ipv6 package
  --identity <name>      MikroTik by default
  --state-file <file>    keep the configuration in this file
  --seed <text>          the same serial number and host key every time
  --count <number>       so many routers, on the addresses that follow; the API alone listens
  --port <service=port>  another port than RouterOS's own, 0 for any free one; may be repeated
`;

const OPTIONS = {
  address: { type: "string", default: "127.77.0.1" },
  version: { type: "string" },
  user: { type: "string" },
  password: { type: "string" },
  "no-ipv6": { type: "boolean" },
  identity: { type: "string" },
  "state-file": { type: "string" },
  seed: { type: "string" },
  count: { type: "string" },
  port: { type: "string", multiple: true },
  help: { type: "boolean" },
} as const;

type Values = ReturnType<typeof parse>;

const parse = () => parseArgs({ options: OPTIONS }).values;

function readPorts(given: readonly string[]): Partial<Record<ServiceName, number>> {
  return Object.fromEntries(
    given.map((text) => {
      const [name = "", port = ""] = text.split("=");
      const known = (SERVICE_NAMES as readonly string[]).includes(name);
      if (!known || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
        throw new Error(`--port ${text}: give a service and its port, as in api=8728`);
      }
      return [name, Number(port)];
    }),
  );
}

async function start(values: Values): Promise<readonly Emulator[]> {
  const { version, user, password, identity, seed, count } = values;
  const options = {
    ports: readPorts(values.port ?? []),
    ...(version === undefined ? {} : { version }),
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(seed === undefined ? {} : { seed }),
    ...(values["no-ipv6"] ? { ipv6: false } : {}),
  };
  if (count !== undefined) {
    if (!/^[1-9]\d{0,6}$/.test(count)) throw new Error(`--count ${count}: give a number of routers`);
    const fleet = await startFleet({ ...options, count: Number(count), firstAddress: values.address });
    return fleet.routers;
  }
  const stateFile = values["state-file"];
  const one = {
    ...(identity === undefined ? {} : { identity }),
    ...(stateFile === undefined ? {} : { stateFile }),
  };
  return [await startEmulator({ ...options, ...one, address: values.address })];
}

/** Each service with its port and whether it listens. */
function describe(router: Emulator): string {
  const rows = router.control.rows("/ip/service").filter((row) => row.dynamic !== "true");
  const lines = rows.map(({ name = "", port = "", disabled, invalid }) => {
    const state =
      disabled === "true" ? "disabled" : invalid === "true" ? "invalid: can't be bound" : "listens";
    return `  ${name.padEnd(13)} ${port.padStart(5)}  ${state}`;
  });
  return [`RouterOS ${router.version} on ${router.address}`, ...lines].join("\n");
}

async function main(): Promise<void> {
  const values = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const routers = await start(values);
  const [first, last] = [routers[0], routers.at(-1)];
  if (!first || !last) return;
  const fleet = `${routers.length} routers, RouterOS ${first.version}, API on ${first.address} to ${last.address}`;
  console.log(routers.length === 1 ? describe(first) : fleet);
  const stop = () => void Promise.all(routers.map((router) => router.close()));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  await Promise.all(routers.map((router) => router.closed));
}

main().catch((error: unknown) => {
  console.error(`portreeve-emulator: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});

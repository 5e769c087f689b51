import type { Command } from "commander";

/** Flag -> the emulator's name of the service and RouterOS's own port. */
const PORT_FLAGS = {
  "api-port": ["api", 8728],
  "api-ssl-port": ["api-ssl", 8729],
  "ssh-port": ["ssh", 22],
  "winbox-port": ["winbox", 8291],
  "http-port": ["www", 80],
  "https-port": ["www-ssl", 443],
  "telnet-port": ["telnet", 23],
  "ftp-port": ["ftp", 21],
} as const;

/** `portreeve emulate`: one emulated RouterOS, until a signal ends it. */
export function addEmulate(program: Command): void {
  const command = program
    .command("emulate")
    .description("run one emulated RouterOS")
    .option("--address <address>", "address to listen on; 127.0.0.0/8 has room for a fleet", "127.77.0.1")
    .option("--version <version>", "RouterOS version, 6.x or 7.x (default: 7.16, or that of the state file)")
    .option("--user <name>", "first user, of group full", "admin")
    .option(
      "--password <password>",
      "its password (default: empty, as a new router's). Every process of this machine can read it here:" +
        " better --password-file or PORTREEVE_EMULATOR_PASSWORD",
    )
    .option("--password-file <file>", "read the password from the first line of a file, - for standard input")
    .option("--identity <name>", "/system/identity", "MikroTik")
    .option("--model <model>", "/system/routerboard model")
    .option(
      "--state-file <file>",
      "keep the router's configuration in this file; when it exists the router comes back as it was, and user," +
        " password, identity, model and ports given here don't apply",
    );
  for (const [flag, [service, port]] of Object.entries(PORT_FLAGS)) {
    command.option(`--${flag} <port>`, `port of ${service}, 0 for any free one (default: ${port})`);
  }
  command.allowExcessArguments(false).action(async (options: Record<string, string | undefined>) => {
    const { emulate } = await import("./emulate.ts");
    const given = Object.entries(PORT_FLAGS).flatMap(([flag, [service]]) => {
      const port = options[flag.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
      return port === undefined ? [] : [[service, port] as const];
    });
    await emulate({ ...options, ports: Object.fromEntries(given) }, process.env);
  });
}

/** Settings of a gateway that is a process of its own: environment variables, checked once at start. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { pino } from "pino";
import { z } from "zod";
import type { ControlAddress } from "./control-address.ts";
import { GATEWAY_SETTINGS, type Setting } from "./settings.ts";
import type { GatewayStartOptions } from "./start.ts";

/** A setting that can't be used as it is; the message names it and says what to write. */
export class GatewayConfigError extends Error {
  override readonly name = "GatewayConfigError";
}

const settings = z.object({
  PORTREEVE_CONTROL: z
    .string("must be given")
    .regex(/^(https?:\/\/\S+|unix:\/\S+)$/, "must be an https:// address or unix:/path"),
  PORTREEVE_GATEWAY_TOKEN: z.string().min(32, "must be 32 or more characters").optional(),
  PORTREEVE_GATEWAY_TOKEN_FILE: z.string().optional(),
  PORTREEVE_CONTROL_CA_FILE: z.string().optional(),
  PORTREEVE_CONTROL_FINGERPRINT: z
    .string()
    .regex(/^([0-9a-f]{2}:?){32}$/i, "must be a SHA-256 fingerprint, 64 hexadecimal digits")
    .optional(),
  PORTREEVE_GATEWAY: z.string().refine((text) => isIP(text) !== 0, "must be an IP address"),
  PORTREEVE_GATEWAY_PORTS: z.string().transform((text, context) => {
    const [first = 0, last = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).slice(1).map(Number);
    if (first >= 1 && last <= 65_535 && first <= last) return { first, last };
    context.addIssue({ code: "custom", message: "must be a range of ports, for example 40000-49999" });
    return z.NEVER;
  }),
  PORTREEVE_STATE_DIR: z.string(),
  PORTREEVE_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]),
});

/**
 * What `startGateway` takes; the log is JSON lines to stderr.
 * @throws GatewayConfigError naming each setting that can't be used
 */
export async function loadGatewayConfig(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<GatewayStartOptions> {
  const names = [...Object.keys(GATEWAY_SETTINGS), "PORTREEVE_GATEWAY_TOKEN"];
  const defaults: Readonly<Record<string, Setting>> = GATEWAY_SETTINGS;
  // An empty variable counts as not set.
  const given = names.map((name) => [name, environment[name] || defaults[name]?.default]);
  const parsed = settings.safeParse(Object.fromEntries(given));
  if (!parsed.success)
    throw new GatewayConfigError(
      parsed.error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`).join("\n"),
    );
  const values = parsed.data;
  return {
    control: await controlAddress(values),
    token: await tokenOf(values),
    listenAddress: values.PORTREEVE_GATEWAY,
    ports: values.PORTREEVE_GATEWAY_PORTS,
    stateDir: resolve(values.PORTREEVE_STATE_DIR),
    log: pino({ level: values.PORTREEVE_LOG_LEVEL }, process.stderr),
  };
}

async function controlAddress(values: z.infer<typeof settings>): Promise<ControlAddress> {
  const { PORTREEVE_CONTROL: address, PORTREEVE_CONTROL_FINGERPRINT: fingerprint } = values;
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length) };
  const file = values.PORTREEVE_CONTROL_CA_FILE;
  const ca = file === undefined ? undefined : await read("PORTREEVE_CONTROL_CA_FILE", file);
  return { url: address, ca, fingerprint };
}

async function tokenOf(values: z.infer<typeof settings>): Promise<string> {
  const file = values.PORTREEVE_GATEWAY_TOKEN_FILE;
  if (file !== undefined) {
    const [line = ""] = (await read("PORTREEVE_GATEWAY_TOKEN_FILE", file)).split(/\r?\n/, 1);
    return line.trim();
  }
  if (values.PORTREEVE_GATEWAY_TOKEN !== undefined) return values.PORTREEVE_GATEWAY_TOKEN;
  throw new GatewayConfigError("PORTREEVE_GATEWAY_TOKEN_FILE: must be given, or PORTREEVE_GATEWAY_TOKEN");
}

async function read(setting: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new GatewayConfigError(
      `${setting}: ${file} can't be read (${(error as NodeJS.ErrnoException).code})`,
      { cause: error },
    );
  }
}

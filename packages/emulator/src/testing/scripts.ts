import { type EmulatorOptions, startEmulator } from "../index.ts";
import { RawClient } from "./raw-client.ts";

/** A router with its API, and what tests of scripts ask of it. */
export async function startRouter(options: EmulatorOptions = {}) {
  const router = await startEmulator({ ports: { api: 0, ssh: 0 }, listen: ["api", "ssh"], ...options });
  const password = options.password ?? "";
  const client = await RawClient.login(router.port("api"), { password });
  return {
    router,
    client,
    /** What a script prints, lines ended by LF; `trap:` and the message where it is refused. */
    async script(source: string): Promise<string> {
      const replies = await client.run("/execute", `=script=${source}`, "=as-string=");
      const message = replies.flat().find((word) => word.startsWith("=message="));
      if (message !== undefined) return `trap: ${message.slice("=message=".length)}`;
      const ret = replies.flat().find((word) => word.startsWith("=ret="));
      return (ret ?? "").slice("=ret=".length).replaceAll("\r\n", "\n");
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await router.close();
    },
  };
}

export type TestRouter = Awaited<ReturnType<typeof startRouter>>;

/** The message of a command's trap; undefined where it wasn't refused. */
export function trapOf(replies: readonly (readonly string[])[]): string | undefined {
  const trap = replies.find(([first]) => first === "!trap");
  return trap?.find((word) => word.startsWith("=message="))?.slice("=message=".length);
}

/** The OpenSSH client, as a person would use it: password login, no keys, no configuration, no known hosts. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why this machine can't run it, or undefined. */
export const sshMissing: string | undefined =
  spawnSync("ssh", ["-V"]).status === 0 ? undefined : "no OpenSSH client (Debian: openssh-client)";

export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Source address. */
  readonly from?: string;
}

export interface SshResult {
  /** 255 when ssh itself failed: refused, not let in, cut off. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A running ssh without a command: the router's console. */
export interface SshConsole extends AsyncDisposable {
  type(line: string): void;
  /** Resolves when the console asks for a command; rejects when ssh ends before. */
  readonly prompt: Promise<void>;
  /** What the console has written so far. */
  output(): string;
  /** Resolves when ssh has ended, with the moment (`performance.now()`). */
  readonly ended: Promise<SshResult & { readonly at: number }>;
}

export class OpenSsh implements AsyncDisposable {
  readonly #directory: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async prepare(): Promise<OpenSsh> {
    const directory = await mkdtemp(join(tmpdir(), "portreeve-ssh-"));
    const client = new OpenSsh(directory);
    await writeFile(client.#askpass, "#!/bin/sh\nprintf '%s\\n' \"$SCENARIO_PASSWORD\"\n");
    await chmod(client.#askpass, 0o700);
    return client;
  }

  /** Run one command and wait for the end. */
  async run(target: SshTarget, command: string): Promise<SshResult> {
    return (await this.#start(target, [command]).ended) satisfies SshResult;
  }

  open(target: SshTarget): SshConsole {
    return this.#start(target, ["-tt"]);
  }

  get #askpass(): string {
    return join(this.#directory, "askpass");
  }

  #start({ host, port, username, password, from = "127.0.0.1" }: SshTarget, rest: string[]): SshConsole {
    const options = {
      BindAddress: from,
      Port: port,
      User: username,
      StrictHostKeyChecking: "no",
      UserKnownHostsFile: "/dev/null",
      PubkeyAuthentication: "no",
      NumberOfPasswordPrompts: 1,
      ConnectTimeout: 15,
      LogLevel: "ERROR",
    };
    const given = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const [flags, command] = [rest.filter((one) => one === "-tt"), rest.filter((one) => one !== "-tt")];
    const child = spawn("ssh", ["-F", "/dev/null", ...given, ...flags, host, ...command], {
      env: {
        PATH: process.env.PATH,
        SSH_ASKPASS: this.#askpass,
        SSH_ASKPASS_REQUIRE: "force",
        SCENARIO_PASSWORD: password,
      },
    });
    this.#running.add(child);
    let [output, errors] = ["", ""];
    const prompt = Promise.withResolvers<void>();
    prompt.promise.catch(() => undefined);
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (output.includes("] > ")) prompt.resolve();
    });
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.stdin.on("error", () => undefined);
    const ended = new Promise<SshResult & { at: number }>((resolve) => {
      child.once("close", (code) => {
        this.#running.delete(child);
        prompt.reject(new Error(`ssh ended with ${code} before it was asked anything: ${errors}`));
        resolve({ code, output, errors, at: performance.now() });
      });
    });
    return {
      type: (line) => child.stdin.write(`${line}\r`),
      prompt: prompt.promise,
      output: () => output,
      ended,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    await rm(this.#directory, { recursive: true, force: true });
  }
}

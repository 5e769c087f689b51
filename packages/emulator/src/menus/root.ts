import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { bytesText } from "../api/words.ts";
import { requirePolicies } from "../caller.ts";
import type { Features } from "../features.ts";
import { importFile } from "../import.ts";
import { refusals } from "../refusal.ts";
import type { Menu, OwnCommand } from "./menu.ts";

/** Scripts beyond this are refused, bytes. Source: manual, "Scripting", `:execute`. */
const MAX_SCRIPT = 64 * 1024;

/** In the background it answers its job; `as-string` (not on RouterOS 6) waits and answers what was printed. */
const execute = (features: Features): OwnCommand => ({
  arguments: ["script", "file", ...(features.version7 ? ["as-string"] : [])],
  unnamed: ["script"],
  flags: features.version7 ? ["as-string"] : [],
  policy: ["read"],
  slow: true,
  async run(router, given, _items, { caller, signal }) {
    const { script, file } = given;
    if (script === undefined) throw refusals.missing("script");
    if (Buffer.byteLength(script) > MAX_SCRIPT) throw refusals.invalidValue("script");
    if (file !== undefined) requirePolicies(caller, ["ftp"]);
    // What a session began continues without it, and it has no session of its own.
    const runner = { username: caller.username, policies: caller.policies };
    if (given["as-string"] !== undefined) {
      const output = await router.jobs.run(script, runner, { signal });
      return { ret: output.replace(/\r?\n/g, "\r\n") };
    }
    const finished = (output: string) => {
      if (file !== undefined) router.files.write(file.includes(".") ? file : `${file}.txt`, output);
    };
    return { ret: router.jobs.start(script, runner, finished) };
  },
});

const importScript = (features: Features): OwnCommand => ({
  arguments: ["file-name", "verbose", "from-line", ...(features.importDryRun ? ["dry-run"] : [])],
  unnamed: ["file-name"],
  flags: features.importDryRun ? ["dry-run"] : [],
  policy: ["read"],
  slow: true,
  async run(router, given, _items, { caller, signal }) {
    const text = await importFile(router, caller, given, signal);
    return { text };
  },
});

/** One's own password. What RouterOS says to a wrong one isn't published. */
const password: OwnCommand = {
  arguments: ["old-password", "new-password", "confirm-new-password"],
  policy: ["password"],
  async run(router, given, _items, { caller }) {
    const { "old-password": old = "", "new-password": fresh, "confirm-new-password": again } = given;
    if (fresh === undefined) throw refusals.missing("new-password");
    await router.exclusive(async () => {
      const table = router.table("/user");
      const user = table.items.find(({ values }) => values.name === caller.username);
      if (!user || (user.values.password ?? "") !== old || fresh !== again) throw refusals.refused();
      const { minimum, categories } = rules(router);
      const kinds = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(fresh)).length;
      if (fresh.length < minimum || kinds < categories) throw refusals.refused();
      table.set(user, { ...user.values, password: fresh });
      router.commit();
    });
  },
};

function rules(router: Parameters<OwnCommand["run"]>[0]) {
  const settings = router.table("/user/settings").items[0]?.values ?? {};
  return {
    minimum: Number(settings["minimum-password-length"] ?? 0),
    categories: Number(settings["minimum-categories"] ?? 0),
  };
}

/** Commands of the outermost level. */
export const root = (features: Features): Menu => ({
  path: "",
  commands: [],
  fields: {},
  own: { execute: execute(features), import: importScript(features), password },
});

/** The configuration as bytes nobody reads: it holds passwords, and `load` is refused. */
function sealed(configuration: string, password: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", createHash("sha256").update(password).digest(), nonce);
  return bytesText(Buffer.concat([nonce, cipher.update(configuration), cipher.final(), cipher.getAuthTag()]));
}

/** `/system/backup/save`; a backup without a password is sealed with the router's serial number. */
export const backup: Menu = {
  path: "/system/backup",
  commands: [],
  fields: {},
  own: {
    save: {
      arguments: ["name", "password", "encryption", "dont-encrypt"],
      policy: ["read", "write", "ftp", "sensitive"],
      run(router, given) {
        const date = new Date(router.clock.now()).toISOString().slice(0, 16).replaceAll(/[-:T]/g, "");
        const name = given.name ?? `${router.identity}-${date.slice(0, 8)}-${date.slice(8)}`;
        const { tables } = router.state();
        const { "/file": _files, ...rest } = tables;
        const contents = sealed(JSON.stringify(rest), given.password || router.serialNumber);
        router.files.write(name.endsWith(".backup") ? name : `${name}.backup`, contents);
      },
    },
  },
};

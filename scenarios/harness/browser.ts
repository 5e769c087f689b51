/** A person's browser: Debian's Chromium, watched for what a page of ours must never do. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why this machine can't run it, or undefined. */
export const chromiumMissing: string | undefined = existsSync(CHROMIUM)
  ? undefined
  : `no ${CHROMIUM} (Debian: chromium)`;

/** Root, as whom CI runs, has no sandbox; the others keep Chromium from calling home by itself. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What is not there after this long is not coming, milliseconds: the page asks the server anew every five seconds. */
const PATIENCE_MS = 10_000;

/** Tells of every breach of the content security policy in the console, where the watch reads it. */
const REPORT_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) =>
  console.error("violates " + event.effectiveDirective + ": " + event.blockedURI));`;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** One page in a browser profile of its own, and everything it did. */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  /** Addresses it asked for, in order. */
  readonly requests: string[] = [];
  /** Errors and warnings of the console, uncaught exceptions, policy violations, pop-ups. */
  readonly complaints: string[] = [];
  readonly #meant: RegExp[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("request", (request) => this.requests.push(request.url()));
    page.on("pageerror", (error) => this.complaints.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.complaints.push(`${message.text()} (${message.location().url})`);
      }
    });
    page.on("dialog", (dialog) => {
      this.complaints.push(`${dialog.type()}: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** Open an address in a fresh profile: no cookie, nothing stored. */
  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext(options);
    const visitor = new Visitor(await context.newPage());
    await visitor.page.addInitScript(REPORT_VIOLATIONS);
    await visitor.page.goto(url);
    return visitor;
  }

  /** Complaints of this kind are meant to come: Chromium writes every answer from 400 on to the console. */
  expectComplaint(kind: RegExp): void {
    this.#meant.push(kind);
  }

  /** Complaints nobody expected, and expected ones that did not come. */
  get surprises(): string[] {
    const unexpected = this.complaints.filter((line) => !this.#meant.some((kind) => kind.test(line)));
    const missed = this.#meant.filter((kind) => !this.complaints.some((line) => kind.test(line)));
    return [...unexpected, ...missed.map((kind) => `nothing matches ${kind}`)];
  }

  /** The page as it stands: its markup, and what is in its fields, which markup does not have. */
  async everything(): Promise<string> {
    const fields = "[...document.querySelectorAll('input, select')].map(({ value }) => value)";
    const values = await this.page.evaluate<string[]>(fields);
    return [await this.page.content(), ...values].join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

/** A person's browser: Debian's Chromium, watched for what a page of ours must never do, and the portal's parts in it. */
import { existsSync } from "node:fs";
import { waitFor } from "@portreeve/testing";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { expect } from "vitest";

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
const PATIENCE_MS = 20_000;

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

/** The place shows this text, now or soon. */
export async function shows(place: Locator, text: string | RegExp): Promise<void> {
  await place.filter({ hasText: text }).first().waitFor();
}

/** What the fields with these labels hold. */
export async function values<const Labels extends readonly string[]>(dialog: Locator, ...labels: Labels) {
  const read = labels.map((label) => dialog.getByLabel(label, { exact: true }).inputValue());
  return (await Promise.all(read)) as { [Index in keyof Labels]: string };
}

/** The name of the element that has the focus, as a screen reader would say it. */
export async function focused(page: Page): Promise<string> {
  const name = await page.evaluate<string | null>(
    `(({ activeElement: it }) => it.ariaLabel ?? it.labels?.[0]?.textContent ?? it.textContent)(document)`,
  );
  return name?.trim() ?? "";
}

/** Press Tab until the focus is on the element of this name. @throws when 30 times don't bring it there */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const passed: string[] = [];
  const isThere = (at: string) => (typeof name === "string" ? at === name : name.test(at));
  while (!isThere(passed.at(-1) ?? "")) {
    if (passed.length > 30) throw new Error(`no way to ${name} by Tab, only to ${passed.join(", ")}`);
    await page.keyboard.press("Tab");
    passed.push(await focused(page));
  }
}

/** No element that is seen reaches over the right edge of the window. */
export async function expectFits(page: Page): Promise<void> {
  const wider = `[...document.querySelectorAll("body *")]
    .filter((it) => it.checkVisibility() && it.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((it) => it.outerHTML)`;
  expect(await page.evaluate(wider)).toEqual([]);
}

/** The row of a site in the list of sites. */
export function siteRow(page: Page, name: string): Locator {
  const button = page.getByRole("button", { name: `Show the plan for ${name}` });
  return page.getByRole("row").filter({ has: button });
}

/** The row of an access to a site in the list of open access. */
export function grantRow(page: Page, siteName: string): Locator {
  const button = page.getByRole("button", { name: new RegExp(`^Revoke .* to ${siteName} `) });
  return page.getByRole("row").filter({ has: button });
}

/** Fill in the portal's form for half an hour and send it; the dialog that shows the password. */
export async function openAccess(page: Page, siteName: string): Promise<Locator> {
  await page.getByRole("button", { name: `Open SSH access to ${siteName}` }).click();
  const form = page.getByRole("dialog", { name: "Open access" });
  await form.getByLabel("Minutes").fill("30");
  await form.getByRole("button", { name: "Open access" }).click();
  const dialog = page.getByRole("dialog", { name: `SSH access to ${siteName}` });
  await dialog.waitFor();
  return dialog;
}

/** The minutes and seconds that the place shows become less by themselves. */
export async function expectToCountDown(place: Locator): Promise<void> {
  const secondsLeft = async () => {
    const [, minutes, seconds] = /(\d+) min (\d+) s/.exec(await place.innerText()) ?? [];
    return Number(minutes) * 60 + Number(seconds);
  };
  const first = await secondsLeft();
  expect(first).toBeGreaterThan(0);
  await waitFor(async () => (await secondsLeft()) < first, { what: "the time left to become less" });
}

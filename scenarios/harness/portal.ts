/** The web page for one test file: a real browser, the real server behind it, and emulated routers. */
import type { EmulatorOptions } from "@portreeve/emulator";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { expect } from "vitest";
import { launchBrowser, Visitor } from "./browser.ts";
import { adopt, type ManagedRouter, startRouter } from "./routers.ts";
import { scenario } from "./scenario.ts";
import type { TestServer } from "./server.ts";

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** What a router may be called by somebody who means no good: markup, and an escape sequence of terminals. */
export const HOSTILE = `<img src=x onerror="alert('identity')">\u001b[31m`;
/** The same as the server keeps an identity: control characters as RouterOS writes them. */
export const HOSTILE_SHOWN = HOSTILE.replace("\u001b", "\\1B");

export type SignIn = BrowserContextOptions & { keep?: boolean; token?: string };

export class Portal implements AsyncDisposable {
  readonly server: TestServer;
  readonly #browser: Browser;
  readonly #ending: AsyncDisposableStack;
  #visitors: Visitor[] = [];

  private constructor(server: TestServer, browser: Browser, ending: AsyncDisposableStack) {
    this.server = server;
    this.#browser = browser;
    this.#ending = ending;
  }

  static async start(server: TestServer): Promise<Portal> {
    const ending = new AsyncDisposableStack();
    const browser = await launchBrowser();
    ending.defer(() => browser.close());
    return new Portal(server, browser, ending);
  }

  /** A router that Portreeve manages, until the end of the portal. */
  async startSite(name: string, options: EmulatorOptions = {}): Promise<ManagedRouter> {
    const router = await startRouter(this.server.net, options);
    this.#ending.defer(() => router.close());
    return { router, site: await adopt(this.server.api, router, { name }) };
  }

  /** Somebody without a token. */
  async open(options: BrowserContextOptions = {}): Promise<Visitor> {
    const visitor = await this.openUnchecked(options);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** The same, whom `leave` knows nothing of. */
  openUnchecked(options: BrowserContextOptions = {}): Promise<Visitor> {
    return Visitor.open(this.#browser, this.server.api.url, options);
  }

  /** Somebody who sees the sites. */
  async signIn({ keep = false, token = this.server.api.token, ...options }: SignIn = {}): Promise<Visitor> {
    const visitor = await this.open(options);
    const { page } = visitor;
    await page.getByLabel("API token").fill(token);
    await page.getByLabel("Keep in this tab").setChecked(keep);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#sites").getByRole("row").first().waitFor();
    return visitor;
  }

  /** Close what was opened, and see that no page did what it must not. */
  async leave(): Promise<void> {
    const done = this.#visitors;
    this.#visitors = [];
    for (const visitor of done) await visitor[Symbol.asyncDispose]();
    for (const visitor of done) this.#expectWellBehaved(visitor);
  }

  /** Nothing in the console, no request to elsewhere, and no token in an address. */
  #expectWellBehaved({ surprises, requests }: Visitor): void {
    const { url, token } = this.server.api;
    expect(surprises).toEqual([]);
    expect(requests.length).toBeGreaterThan(0);
    for (const asked of requests) {
      expect(new URL(asked).origin).toBe(new URL(url).origin);
      expect(decodeURIComponent(asked)).not.toContain(token);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ending.disposeAsync();
  }
}

/**
 * Scenarios with a browser; what each visitor's page did is looked at when its test has ended. The reconciler has a
 * period of an hour: drift stays until somebody asks for its repair.
 */
export const portalScenario = scenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: "3600" })
  .extend("portal", { scope: "file" }, async ({ server }, { onCleanup }) => {
    const portal = await Portal.start(server);
    onCleanup(() => portal[Symbol.asyncDispose]());
    return portal;
  })
  .extend("wellBehaved", { auto: true }, ({ portal }, { onCleanup }) => {
    onCleanup(() => portal.leave());
  });

/** A client talking to a scripted router, for tests. */

import { type ClientOptions, RouterClient } from "../client.ts";
import { type RawLine, RawPeer } from "./raw-peer.ts";

export const LOGIN = { host: "127.0.0.1", username: "admin", password: "correct horse" } as const;

/**
 * Log in to a router that plays `script`, run `use`, and fail with whatever went wrong on either side.
 * @param script what the router does after the login
 */
export async function withRouter(
  script: (line: RawLine) => Promise<void>,
  use: (router: RouterClient) => Promise<void>,
  options: Partial<ClientOptions> = {},
): Promise<void> {
  await using peer = await RawPeer.listen(async (line) => {
    await line.admit();
    await script(line);
  });
  const router = await RouterClient.connect({ ...LOGIN, port: peer.port, ...options });
  try {
    await use(router);
    await peer.finished();
  } finally {
    router.close();
    await router.closed;
  }
}

/** What a promise is rejected with; fails the test when it is not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("value" in outcome) throw new Error(`not rejected, but: ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

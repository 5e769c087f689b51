/** Offers a PostgreSQL to the tests of this run; it starts when the first one asks. */
import { offerTestServer } from "./packages/server/src/database/test-server.ts";

export default async function setup(): Promise<() => Promise<void>> {
  const server = await offerTestServer();
  return async () => server[Symbol.asyncDispose]();
}

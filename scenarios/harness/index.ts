export { waitFor } from "@portreeve/testing";
export { type Answer, ApiClient, type CallOptions, expectProblem, expectStatus } from "./api.ts";
export {
  credentialsOf,
  expectChecked,
  expectInSync,
  expectNothingPlanned,
  expectRolledOut,
  expectRollout,
  expectStoredLogin,
  expectSync,
  readSite,
} from "./expectations.ts";
export { listen } from "./network.ts";
export { PORTS, policyOf } from "./policies.ts";
export {
  ADMIN,
  adopt,
  createPolicy,
  type ManagedRouter,
  siteOf,
  startManagedRouter,
  startRouter,
  TELLS_NOTHING,
  useBindablePorts,
} from "./routers.ts";
export { addCustomer, startTestServer, type TestServer } from "./server.ts";

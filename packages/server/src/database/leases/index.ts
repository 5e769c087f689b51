export { bucketOf } from "./bucket.ts";
export { checkLease, holding, type Lease, LeaseLostError } from "./lease.ts";
export { type LeaseListener, Leases, type LeasesOptions } from "./leases.ts";

/** Tests that inject faults at random have a short form for every run, and a long one for `npm run chaos`. */
const isLong = process.env.PORTREEVE_CHAOS === "long";

/** What a test does so often, or takes so long, in each form. */
export function inChaos<T>({ short, long }: { readonly short: T; readonly long: T }): T {
  return isLong ? long : short;
}

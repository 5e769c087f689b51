import type { Router } from "../router.ts";
import { readSeconds } from "../values.ts";

/** Wait on the router's clock. @returns false when the wait was abandoned */
export function sleep(router: Router, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const forget = router.clock.alarm(ms, () => end(true));
    const stop = () => {
      forget();
      end(false);
    };
    const end = (elapsed: boolean) => {
      signal.removeEventListener("abort", stop);
      resolve(elapsed);
    };
    signal.addEventListener("abort", stop);
  });
}

/** Milliseconds of "1s", "00:00:01", "500ms"; undefined for what is no time. */
export function readMs(value: string): number | undefined {
  const parts = /^(.*?)(?:(\d+)ms)?$/.exec(value);
  const [, whole = "", ms = "0"] = parts ?? [];
  const seconds = whole === "" ? 0 : readSeconds(whole);
  return seconds === undefined || value === "" ? undefined : seconds * 1000 + Number(ms);
}

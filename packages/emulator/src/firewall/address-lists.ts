import type { Router } from "../router.ts";
import type { Item } from "../table.ts";
import { formatSeconds, readSeconds } from "../values.ts";
import { contains } from "./match.ts";

export type ListFamily = "ipv4" | "ipv6";

const PATHS = { ipv4: "/ip/firewall/address-list", ipv6: "/ipv6/firewall/address-list" } as const;

/** When a dynamic entry goes; not a property of the row. */
const deadlines = new WeakMap<Item, { atMs: number; forget: () => void }>();

/** What is left of an entry's time, in RouterOS's spelling; undefined for one that stays. */
export function timeLeft(router: Router, item: Item): string | undefined {
  const deadline = deadlines.get(item);
  return deadline && formatSeconds(Math.ceil((deadline.atMs - router.clock.running()) / 1000));
}

/** Start an entry's time, or start it again. */
export function startTimeout(router: Router, path: string, item: Item, seconds: number): void {
  deadlines.get(item)?.forget();
  const atMs = router.clock.running() + seconds * 1000;
  const forget = router.clock.alarm(seconds * 1000, () => {
    const table = router.table(path);
    if (table.byId(item.id) === item) table.remove(item);
  });
  deadlines.set(item, { atMs, forget });
}

/** The address lists as the firewall reads and fills them. */
export function addressLists(router: Router, family: ListFamily) {
  const path = PATHS[family];
  const entries = (list: string) => {
    const { items } = router.table(path);
    return items.filter(({ values }) => values.list === list && values.disabled !== "true");
  };
  return {
    has: (list: string, address: string): boolean =>
      entries(list).some(({ values }) => contains(values.address ?? "", address)),

    /**
     * `add-src-to-address-list`: a new entry, or new time for one the firewall made before.
     * @param timeout "1d", `none-dynamic` (until the next reboot, the default) or `none-static` (kept)
     */
    put(list: string, address: string, timeout = "none-dynamic"): void {
      const seconds = readSeconds(timeout);
      const found = entries(list).find(({ values }) => values.address === address);
      const item = found ?? add(router, path, list, address, timeout !== "none-static");
      if (seconds && item.dynamic) startTimeout(router, path, item, seconds);
      if (!item.dynamic) router.commit();
    },
  };
}

function add(router: Router, path: string, list: string, address: string, dynamic: boolean): Item {
  return router.table(path).add({ list, address, disabled: "false" }, { dynamic });
}

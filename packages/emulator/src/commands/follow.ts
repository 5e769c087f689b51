import { type Listening, listeningIn } from "../listening.ts";
import type { Menu, MenuHost } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import type { Item, TableChange } from "../table.ts";
import { type Outcome, type Reply, unknownParameter } from "./command.ts";

/** Their rows come and go without their tables, which is where changes are seen. */
const UNSEEN = ["/system/script/job", "/system/script/environment"];

type Emit = (reply: Reply) => void;

/** How a menu answers `listen`. @throws Refusal where it can't be listened to */
export function requireListening(router: MenuHost, menu: Menu, option: "follow" | "follow-only"): Listening {
  const listening = listeningIn(router.listening, menu.path);
  if (UNSEEN.includes(menu.path)) throw refusals.notEmulated(`listen of ${menu.path}`);
  if (!menu.commands.includes("listen") || listening === "refused") throw unknownParameter(router, option);
  return listening;
}

interface Following {
  readonly listening: Listening;
  /** Sentence of a row as it is now; undefined for one the queries leave out. */
  readonly sentenceOf: (item: Item) => Reply | undefined;
  /** Some rows are left out. */
  readonly filtered: boolean;
}

/**
 * Changes of a menu from now on. A removed row is sent as `.id` and `.dead` alone, as captured. With queries it is not
 * sent: no property of a removed row is left to test, and one report (GideonLeGrange/mikrotik-java#27) misses it there.
 */
export function following(router: MenuHost, menu: Menu, how: Following, replies: readonly Reply[]): Outcome {
  const sentenceOf = ({ kind, item }: TableChange): Reply | undefined => {
    if (kind === "changed") return how.sentenceOf(item);
    return how.filtered ? undefined : ["!re", `=.id=${item.id}`, "=.dead=true"];
  };
  const follow = (emit: Emit) => {
    if (how.listening === "silent") return () => undefined;
    let stopped = false;
    const forget = router.table(menu.path).onChange((change) => {
      const sentence = sentenceOf(change);
      // As captured: the `set` that makes a change is answered before the change is sent.
      if (sentence) setImmediate(() => stopped || emit(sentence));
    });
    const quieten = makeNoise(router, menu, how, emit);
    return () => {
      stopped = true;
      forget();
      quieten();
    };
  };
  return { replies, follow };
}

/** Every row again and again, where that was asked for. */
function makeNoise(
  router: MenuHost,
  menu: Menu,
  { listening, sentenceOf }: Following,
  emit: Emit,
): () => void {
  if (typeof listening === "string") return () => undefined;
  const again = () => {
    for (const item of router.items(menu)) {
      const sentence = sentenceOf(item);
      if (sentence) emit(sentence);
    }
    forget = router.clock.alarm(listening.everyMs, again);
  };
  let forget = router.clock.alarm(listening.everyMs, again);
  return () => forget();
}

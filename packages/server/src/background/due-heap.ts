/** What a heap orders; it keeps each item's place in the item, so that one can be moved or removed. */
export interface Due {
  /** Milliseconds on whatever clock all items share. */
  dueAt: number;
  /** Its place in the heap; -1 when it is in none. */
  place: number;
}

/** A binary heap: the item that is due first is on top. Putting, moving and taking away cost log2(n) steps. */
export class DueHeap<T extends Due> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  first(): T | undefined {
    return this.#items[0];
  }

  /** Put it in, or to where it belongs now. */
  put(item: T, dueAt: number): void {
    item.dueAt = dueAt;
    if (item.place < 0) {
      item.place = this.#items.length;
      this.#items.push(item);
    }
    this.#down(item, this.#up(item, item.place));
  }

  remove(item: T): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#items.pop() as T;
    if (last !== item) this.#down(last, this.#up(last, place));
  }

  #up(item: T, from: number): number {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#items[above] as T;
      if (parent.dueAt <= item.dueAt) break;
      this.#set(parent, place);
      place = above;
    }
    this.#set(item, place);
    return place;
  }

  #down(item: T, from: number): void {
    let place = from;
    for (;;) {
      const child = this.#earlierChild(place);
      if (child === undefined || (this.#items[child] as T).dueAt >= item.dueAt) break;
      this.#set(this.#items[child] as T, place);
      place = child;
    }
    this.#set(item, place);
  }

  #earlierChild(place: number): number | undefined {
    const left = 2 * place + 1;
    const [one, other] = [this.#items[left], this.#items[left + 1]];
    if (!one) return undefined;
    return other && other.dueAt < one.dueAt ? left + 1 : left;
  }

  #set(item: T, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}

/** How large the waves of a rollout are. Pure. */

/** With so many sites or fewer there is one wave: all at once. */
const FEW_SITES = 10;
/** The first wave, the canary. */
const CANARY_SITES = 1;
/** What the waves after it may reach at the most, together with those before: percent of all sites. */
const PERCENT = [5, 25, 100];

/**
 * @param total sites of the rollout
 * @returns how many sites have their turn by the end of each wave; growing, the last one is `total`
 */
export function waveEnds(total: number): number[] {
  if (total <= FEW_SITES) return [total];
  const ends = [CANARY_SITES, ...PERCENT.map((percent) => Math.floor((total * percent) / 100))];
  // Of few sites a share may be no more than the wave before had already.
  return ends.filter((end, wave) => end > Math.max(0, ...ends.slice(0, wave)));
}

/**
 * How large each wave is, or will be as far as is known now: sites may join and leave on the way.
 * @param started sites by wave, the first wave first
 */
export function waveSizes(total: number, started: readonly number[]): number[] {
  const ends = waveEnds(total);
  let before = 0;
  return Array.from({ length: Math.max(ends.length, started.length) }, (_, index) => {
    const members = started[index] ?? 0;
    const isOver = index < started.length - 1;
    const size = isOver ? members : Math.max(members, (ends[index] ?? total) - before);
    before += size;
    return size;
  });
}

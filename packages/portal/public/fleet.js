const PAGE = 50;
/** Sites without known access that are asked about in one round; the others have their turn after them. */
const SITES_PER_ROUND = 20;
/** A check from outside is made once a day, or from this page: what is older than this is read anew. */
const EXPOSURE_KEPT_MS = 60_000;

/** What the page shows, as last heard from the API under one token. A reading that fails leaves its part as it was. */
export class Fleet {
  sites = [];
  /** Are there sites beyond those pages? */
  more = false;
  /** How many pages of sites are wanted. */
  pages = 1;
  policies = [];
  /** Those under way, with their waves. */
  rollouts = [];
  /** Site id -> its current grants, each with its site. */
  #grantsOf = new Map();
  /** Site id -> its last check from outside, and when that was read. */
  #exposures = new Map();
  #turn = 0;

  constructor(api) {
    this.api = api;
  }

  get grants() {
    return [...this.#grantsOf.values()].flat();
  }

  addGrant(grant) {
    this.#grantsOf.set(grant.site.id, [...(this.#grantsOf.get(grant.site.id) ?? []), grant]);
  }

  removeGrant({ id, site }) {
    const others = (this.#grantsOf.get(site.id) ?? []).filter((grant) => grant.id !== id);
    this.#grantsOf.set(site.id, others);
  }

  /** @returns {object | undefined} the last check of a site, as far as it was read */
  exposureOf = (siteId) => this.#exposures.get(siteId)?.check;

  noteExposure(check) {
    this.#exposures.set(check.site_id, { check, readAt: performance.now() });
  }

  /** @param {string} status only sites of this one; empty for all */
  async readSites(status) {
    const read = [];
    let cursor = null;
    for (let page = 0; page < this.pages; page++) {
      const query = new URLSearchParams({
        limit: PAGE,
        ...(status && { status }),
        ...(cursor && { cursor }),
      });
      const answer = await this.api.get(`/v1/sites?${query}`);
      read.push(...answer.data);
      cursor = answer.next_cursor;
      if (cursor === null) break;
    }
    this.sites = read;
    this.more = cursor !== null;
  }

  async readPolicies() {
    this.policies = await this.api.get("/v1/control-plane/policies");
  }

  /**
   * Every policy tells of the one rollout it may have under way.
   * @returns {Promise<object[]>} those that have ended since the last time
   */
  async readRollouts() {
    const before = this.rollouts;
    const underWay = this.policies.filter(({ rollout }) => rollout !== null);
    this.rollouts = await Promise.all(
      underWay.map(({ name, rollout: { id } }) => this.#readRollout(id, name)),
    );
    const ended = before.filter(({ id }) => !this.rollouts.some((rollout) => rollout.id === id));
    return Promise.all(ended.map(({ id, policyName }) => this.#readRollout(id, policyName)));
  }

  async #readRollout(id, policyName) {
    return { ...(await this.api.get(`/v1/rollouts/${id}`)), policyName };
  }

  /** Access and checks. Sites with access every time, the others in turn: many sites cost no more than a few. */
  async readSiteBySite() {
    const inUse = [...this.#grantsOf.values()].filter(([grant]) => grant).map(([{ site }]) => site);
    const others = this.sites.filter(({ id }) => !this.#grantsOf.get(id)?.length);
    const inTurn = [...others.slice(this.#turn), ...others.slice(0, this.#turn)].slice(0, SITES_PER_ROUND);
    this.#turn = this.#turn + SITES_PER_ROUND < others.length ? this.#turn + SITES_PER_ROUND : 0;
    await Promise.all([...inUse, ...inTurn].map((site) => this.#readOf(site)));
  }

  async #readOf(site) {
    try {
      await Promise.all([this.#readGrantsOf(site), this.#readExposureOf(site)]);
    } catch (problem) {
      // The site has been deleted since the list was read.
      if (problem.status !== 404) throw problem;
      this.#grantsOf.delete(site.id);
      this.#exposures.delete(site.id);
    }
  }

  async #readGrantsOf(site) {
    // reveal=false: a poll needs no passwords, and reading them would be audited each time.
    const grants = await this.api.get(`/v1/control-plane/${site.id}/transient-access?reveal=false`);
    this.#grantsOf.set(
      site.id,
      grants.map((grant) => ({ ...grant, site })),
    );
  }

  async #readExposureOf({ id }) {
    const readAt = performance.now();
    if (readAt - (this.#exposures.get(id)?.readAt ?? -EXPOSURE_KEPT_MS) < EXPOSURE_KEPT_MS) return;
    const { data } = await this.api.get(`/v1/sites/${id}/exposure?limit=1`);
    this.#exposures.set(id, { check: data[0], readAt });
  }
}

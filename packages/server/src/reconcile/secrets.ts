/** The secrets that steps refer to, asked for when they are delivered. */
import type { Database } from "../database/index.ts";
import type { Secret } from "../vault/index.ts";
import type { Contributor, SecretReference } from "./types.ts";

/** @throws where the module keeps no such secret of this site */
export type OpenSecret = (siteId: string, reference: SecretReference) => Promise<Secret>;

export function secretsOf(database: Database, contributors: readonly Contributor[]): OpenSecret {
  return (siteId, { of, id }) => {
    const contributor = contributors.find(({ name }) => name === of);
    return database.asSystem((trx) => {
      const secret = contributor?.openSecret?.(trx, siteId, id);
      if (!secret) throw new Error(`nobody keeps secrets of ${of}`);
      return secret;
    });
  };
}

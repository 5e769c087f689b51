/** The verbs of a customer's certificate authority. Each wakes the sites whose certificates it signs from now on. */
import type { CertificateAuthorityInput } from "@portreeve/api-schema";
import { record } from "../audit/index.ts";
import type { Trx } from "../database/index.ts";
import { actorOf, type Caller } from "../kernel/actor.ts";
import type { SiteService } from "../sites/index.ts";
import type { Vault } from "../vault/index.ts";
import { AuthorityInputError, readAuthority } from "./authority.ts";
import { AuthorityNotFoundError, UnusableAuthorityError } from "./errors.ts";
import { type AuthorityRow, authorityBinding, findAuthority, sitesWithCertificates } from "./store.ts";

export class CertificateAuthorityService {
  readonly #vault: Vault;
  readonly #sites: SiteService;

  constructor({ vault, sites }: { vault: Vault; sites: SiteService }) {
    this.#vault = vault;
    this.#sites = sites;
  }

  async get(trx: Trx): Promise<AuthorityRow> {
    const authority = await findAuthority(trx);
    if (!authority) throw new AuthorityNotFoundError();
    return authority;
  }

  /** Every site gets a certificate of the new authority, as at a renewal. */
  async put(trx: Trx, caller: Caller, input: CertificateAuthorityInput): Promise<AuthorityRow> {
    const { certificate, fingerprint, subject, notAfter, privateKey } = read(input);
    const { customerId } = caller;
    const content = {
      certificate,
      private_key: await this.#vault.seal(trx, customerId, authorityBinding(customerId), privateKey),
      fingerprint,
      subject,
      not_after: notAfter,
      updated_at: new Date(),
    };
    const authority = await trx
      .insertInto("certificate_authorities")
      .values({ customer_id: customerId, ...content })
      .onConflict((conflict) => conflict.column("customer_id").doUpdateSet(content))
      .returningAll()
      .executeTakeFirstOrThrow();
    await this.#changed(trx, caller, "certificate_authority.set", authority);
    return authority;
  }

  /** From now on every router signs its own certificate again. */
  async remove(trx: Trx, caller: Caller): Promise<void> {
    const authority = await this.get(trx);
    await trx
      .deleteFrom("certificate_authorities")
      .where("customer_id", "=", authority.customer_id)
      .execute();
    await this.#changed(trx, caller, "certificate_authority.removed", authority);
  }

  async #changed(trx: Trx, caller: Caller, action: string, { fingerprint, subject }: AuthorityRow) {
    await record(trx, actorOf(caller), {
      customerId: caller.customerId,
      action,
      subjectType: "certificate_authority",
      detail: { fingerprint, subject },
    });
    await this.#sites.bumpGeneration(trx, await sitesWithCertificates(trx));
  }
}

function read({ certificate, private_key: key }: CertificateAuthorityInput) {
  try {
    return readAuthority(certificate, key, new Date());
  } catch (error) {
    if (error instanceof AuthorityInputError) throw new UnusableAuthorityError(error);
    throw error;
  }
}

import { element, fill, whileBusy } from "./dom.js";
import { SERVICE_WORDS } from "./grants.js";

/**
 * The question before access is revoked.
 * @param {(grant: object) => void} revoked told of each grant that is gone
 */
export function revokeQuestion(revoked) {
  const dialog = element("revoke");
  const button = element("revoke-now");
  let api;
  let grant;

  button.addEventListener("click", () =>
    whileBusy(button, async () => {
      try {
        await api.delete(`/v1/control-plane/${grant.site.id}/transient-access/${grant.id}`);
        dialog.close();
        revoked(grant);
      } catch (problem) {
        fill(dialog, { problem: problem.message });
      }
    }),
  );

  return (itsApi, itsGrant) => {
    [api, grant] = [itsApi, itsGrant];
    const service = SERVICE_WORDS[grant.type] ?? grant.type;
    fill(dialog, {
      question: `${service} access to ${grant.site.name} ends for ${grant.username}, and sessions in progress are cut.`,
      problem: "",
    });
    dialog.showModal();
  };
}

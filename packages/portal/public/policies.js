import { copyOf, element, fill, keyed } from "./dom.js";
import { SERVICES } from "./services.js";

const EVERYBODY = ["0.0.0.0/0", "::/0"];

/**
 * @param {(policy: object) => void} edit
 * @returns {(policies: object[], siteCount: (policyId: string) => string) => void} shows the policies
 */
export function policiesView(edit) {
  const latest = new Map();
  let siteCount;

  function create({ id }) {
    const card = copyOf("policy-card");
    card.querySelector("[data-action=edit]").addEventListener("click", () => edit(latest.get(id)));
    card.querySelector("tbody").append(...SERVICES.map(() => copyOf("service-row")));
    return card;
  }

  function update(card, policy) {
    latest.set(policy.id, policy);
    card.querySelector("[data-action=edit]").setAttribute("aria-label", `Edit the policy ${policy.name}`);
    fill(card, { name: policy.name, default: policy.default ? "default" : "", use: siteCount(policy.id) });
    SERVICES.forEach(([name, word], index) => {
      showService(card.querySelectorAll("tbody tr")[index], word, policy[name], policy.trusted_networks);
    });
  }

  const cards = keyed(element("policies"), create, update);
  return (policies, counts) => {
    siteCount = counts;
    cards(policies);
    element("policies-count").textContent = policies.length;
  };
}

function showService(row, word, service, trustedNetworks) {
  const given = service.networks ?? [];
  const networks = given.length > 0 ? given : (trustedNetworks ?? []);
  row.classList.toggle("off", !service.enabled);
  row.classList.toggle("open", service.enabled && networks.some((network) => EVERYBODY.includes(network)));
  fill(row, {
    service: word,
    port: service.enabled ? String(service.port) : "off",
    networks: service.enabled
      ? [given.length > 0 ? [] : "trusted networks:", networks].flat().join("\n")
      : "",
  });
}

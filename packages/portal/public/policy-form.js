import { build } from "./dom.js";
import { SERVICES } from "./services.js";

/** What an answer tells of a policy and no request may. */
const READ_ONLY = ["id", "slug", "default", "rollout", "sites", "warnings", "created_at", "updated_at"];

/** @returns {HTMLElement[]} the fields of the eight services, for the policy's form */
export function serviceFields() {
  return SERVICES.map(([name, word]) => {
    const port = { type: "number", inputmode: "numeric", min: "1", max: "65535", step: "1" };
    return build(
      "div",
      { class: "service", role: "group", "aria-label": word },
      build("label", { class: "choice" }, control("input", name, "enabled", { type: "checkbox" }), word),
      build("label", { class: "port" }, "Port", control("input", name, "port", port)),
      build("label", { class: "networks" }, "Networks", control("textarea", name, "networks", { rows: "1" })),
      ["enabled", "port", "networks"].map((field) => errorPlace(name, field)),
    );
  });
}

function control(tag, service, field, attributes) {
  const name = `${service}.${field}`;
  return build(tag, {
    name,
    id: `policy-${name}`,
    "aria-describedby": `policy-${name}-error`,
    ...attributes,
  });
}

const errorPlace = (service, field) =>
  build("p", {
    class: "problem",
    id: `policy-${service}.${field}-error`,
    "data-error": `${service}.${field}`,
  });

/** Put a policy into its form. */
export function fillPolicyForm(form, policy) {
  const fields = form.elements;
  fields.name.value = policy.name;
  for (const [name] of SERVICES) {
    fields[`${name}.enabled`].checked = policy[name].enabled;
    fields[`${name}.port`].value = policy[name].port;
    fields[`${name}.networks`].value = (policy[name].networks ?? []).join("\n");
  }
  fields.trusted_networks.value = policy.trusted_networks.join("\n");
  fields.custom_input_rules.checked = policy.custom_input_rules;
  fields.brute_force_protection.checked = policy.brute_force_protection;
  fields.drift.value = policy.drift;
}

/** @returns {object} what the form says, and of the policy what the form does not show: the body of a PUT */
export function draftOf(form, policy) {
  const fields = form.elements;
  const kept = Object.entries(policy).filter(([name]) => !READ_ONLY.includes(name));
  const services = SERVICES.map(([name]) => {
    const networks = listOf(fields[`${name}.networks`]);
    const port = fields[`${name}.port`].valueAsNumber;
    return [name, { enabled: fields[`${name}.enabled`].checked, port, networks }];
  });
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(services),
    name: fields.name.value.trim(),
    trusted_networks: listOf(fields.trusted_networks),
    custom_input_rules: fields.custom_input_rules.checked,
    brute_force_protection: fields.brute_force_protection.checked,
    drift: fields.drift.value,
  };
}

const listOf = (box) => box.value.split(/[\s,;]+/).filter(Boolean);

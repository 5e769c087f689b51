import { newKey } from "./api.js";
import { copyOf, element, fill, whileBusy } from "./dom.js";
import { showErrors, showProblem } from "./form-errors.js";
import { admitsOf, committedWords, entryOf, leftOf, rightsOf, SERVICE_WORDS } from "./grants.js";
import { timeLeft } from "./time.js";

/**
 * The form that opens access, and the one showing of its password.
 * @param {(grant: object) => void} opened told of each new grant, with its site and without its password
 */
export function openAccessForm(opened) {
  const dialog = element("open-access");
  const form = element("open-access-form");
  let api;
  let site;
  let key;
  let sent;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(form.querySelector("[type=submit]"), submit);
  });

  async function submit() {
    showErrors(form, {}, "");
    const body = input(form);
    // The same request again is the same access; another one must not come under the first one's key.
    if (JSON.stringify(body) !== sent) [key, sent] = [newKey(), JSON.stringify(body)];
    try {
      const path = `/v1/control-plane/${site.id}/transient-access`;
      const { password, ...grant } = await api.post(path, body, key);
      dialog.close();
      const withSite = { ...grant, site };
      showNewAccess(withSite, password, api.now);
      opened(withSite);
    } catch (problem) {
      showProblem(form, problem);
    }
  }

  return (itsApi, itsSite, type) => {
    [api, site, sent] = [itsApi, itsSite, undefined];
    form.reset();
    form.elements.type.value = type;
    showErrors(form, {}, "");
    fill(dialog, { site: site.name });
    dialog.showModal();
    form.elements.expire_after_minutes.select();
  };
}

function input(form) {
  const fields = form.elements;
  const source = fields.source.value.trim();
  const reason = fields.reason.value.trim();
  return {
    expire_after_minutes: fields.expire_after_minutes.valueAsNumber,
    type: fields.type.value,
    full_access: fields.full_access.value === "true",
    allow_rfc1918: fields.allow_rfc1918.checked,
    ...(source && { [source.includes("/") ? "allow_only_cidr" : "allow_only_ip"]: source }),
    ...(reason && { reason }),
  };
}

function showNewAccess(grant, password, now) {
  const dialog = element("new-access");
  const values = [
    ["Address", entryOf(grant)],
    ["User name", grant.username],
    ["Password", password ?? "hidden: this token may not read passwords"],
  ];
  if (grant.type === "ssh")
    values.push(["Command", `ssh -p ${grant.port} ${grant.username}@${grant.entry_point}`]);
  element("new-access-values").replaceChildren(...values.map(copyable));
  fill(dialog, {
    service: SERVICE_WORDS[grant.type] ?? grant.type,
    site: grant.site.name,
    rights: rightsOf(grant),
    admits: admitsOf(grant),
    warnings: (grant.warnings ?? []).join("; "),
  });
  updateNewAccess(grant, now);
  dialog.dataset.grant = grant.id;
  dialog.showModal();
}

/** Keep the showing of a new grant in step with what the polls tell of it. */
export function updateNewAccess(grant, now) {
  fill(element("new-access"), { committed: committedWords(grant), left: timeLeft(leftOf(grant, now)) });
}

/** Prepare the dialog: an Escape by habit does not lose the password, and closing it leaves none in the page. */
export function guardNewAccess() {
  const dialog = element("new-access");
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => {
    element("new-access-values").replaceChildren();
    delete dialog.dataset.grant;
  });
}

function copyable([label, value], index) {
  const field = copyOf("secret-value");
  const box = field.querySelector("input");
  const button = field.querySelector("button");
  box.id = `new-access-value-${index}`;
  box.value = value;
  field.querySelector("label").htmlFor = box.id;
  button.setAttribute("aria-label", `Copy: ${label}`);
  fill(field, { label });
  button.addEventListener("click", async () => {
    button.textContent = (await copy(box)) ? "Copied" : "Press Ctrl+C";
  });
  return field;
}

/** @returns {Promise<boolean>} whether the text is in the clipboard; if not, it is selected */
async function copy(box) {
  box.select();
  try {
    // Missing where the page is served by plain HTTP from another host; the old command works there.
    if (navigator.clipboard === undefined) return document.execCommand("copy");
    await navigator.clipboard.writeText(box.value);
    return true;
  } catch {
    return false;
  }
}

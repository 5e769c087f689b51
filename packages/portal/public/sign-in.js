import { Api } from "./api.js";
import { element, whileBusy } from "./dom.js";

const STORAGE_KEY = "portreeve-token";

/** @returns {string | undefined} the token kept in this tab, if somebody asked for that */
export const keptToken = () => sessionStorage.getItem(STORAGE_KEY) ?? undefined;

export const forgetToken = () => sessionStorage.removeItem(STORAGE_KEY);

/** @param {(api: Api) => void} signedIn told once a token has been accepted */
export function signInForm(signedIn) {
  const form = element("token-form");
  const box = element("token");
  const error = element("token-error");

  async function submit() {
    error.textContent = "";
    const token = box.value.trim();
    if (!/^[\x21-\x7e]+$/.test(token)) {
      error.textContent = "Enter the token exactly as Portreeve printed it.";
      box.focus();
      return;
    }
    const api = new Api(token);
    try {
      await api.get("/v1/sites?limit=1");
    } catch (problem) {
      // Any other refusal, such as a missing scope, is about the list and not the token.
      if (problem.status === 401 || problem.status === 0 || problem.status >= 500) {
        error.textContent = problem.status === 401 ? "This token is not accepted." : problem.message;
        box.select();
        return;
      }
    }
    if (element("keep-token").checked) sessionStorage.setItem(STORAGE_KEY, token);
    form.reset();
    signedIn(api);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(form.querySelector("[type=submit]"), submit);
  });
}

import { element, printable } from "./dom.js";

const SHOWN_MS = 6_000;

/** Say that something was done; it goes by itself. */
export function say(text) {
  const message = show(text, "done");
  setTimeout(() => message.remove(), SHOWN_MS);
}

/** Say that something went wrong; it stays until it is dismissed. */
export const complain = (text) => stay(show(text, "failed"));

/** Say what to think about though it was done; it stays until it is dismissed. */
export const warn = (text) => stay(show(text, "warned"));

function stay(message) {
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "quiet";
  dismiss.textContent = "Dismiss";
  dismiss.addEventListener("click", () => message.remove());
  message.append(dismiss);
}

function show(text, kind) {
  const message = document.createElement("p");
  message.className = `message ${kind}`;
  message.append(printable(text));
  element("messages").append(message);
  return message;
}

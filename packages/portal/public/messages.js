import { element } from "./dom.js";

const SHOWN_MS = 6_000;

/** Say that something was done; it goes by itself. */
export function say(text) {
  const message = show(text, "done");
  setTimeout(() => message.remove(), SHOWN_MS);
}

/** Say that something went wrong; it stays until it is dismissed. */
export function complain(text) {
  const message = show(text, "failed");
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
  message.append(text);
  element("messages").append(message);
  return message;
}

import { printable } from "./dom.js";

/**
 * Each field's errors beside the field; the summary, and errors of fields the form has not, below. A place
 * (`data-error="ssh.networks"`) takes the errors of its entries (`ssh.networks.2`) as well; the field is the control
 * that the place describes.
 * @param {Record<string, string[]>} errors field, by its dotted path -> what to change there
 */
export function showErrors(form, errors, summary) {
  const left = new Map(Object.entries(errors));
  for (const place of form.querySelectorAll("[data-error]:not([data-error=''])")) {
    const names = place.dataset.error.split(" ");
    const texts = [];
    for (const [path, messages] of left) {
      const name = names.find((one) => path === one || path.startsWith(`${one}.`));
      if (name === undefined) continue;
      texts.push(...messages.map((message) => entryOf(path, name) + message));
      left.delete(path);
    }
    place.textContent = printable(texts.join("; "));
    const control = place.id && form.querySelector(`[aria-describedby~="${place.id}"]`);
    if (control) control.setAttribute("aria-invalid", String(texts.length > 0));
  }
  const rest = [...left].map(([name, texts]) => `${name}: ${texts.join("; ")}`);
  form.querySelector("[data-error='']").textContent = printable([summary, ...rest].filter(Boolean).join(" "));
  form.querySelector("[aria-invalid=true]")?.focus();
}

/** A refusal, in the form: by field where it names some. @param {Record<string, string[]>} fields of `problem` */
export function showProblem(form, problem, fields = problem.fields ?? {}) {
  const isMarked = Object.keys(fields).length > 0;
  showErrors(form, fields, isMarked ? "Please correct the marked fields." : problem.message);
}

function entryOf(path, name) {
  const place = path.slice(name.length + 1);
  return /^\d+$/.test(place) ? `entry ${Number(place) + 1} ` : "";
}

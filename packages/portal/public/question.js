import { element, fill, whileBusy } from "./dom.js";

/**
 * The question before something is done that another click does not undo.
 * @returns {(words: {title: string, text: string, verb: string, keep?: string}, act: () => Promise<void>,
 *   done: () => void) => void} asks; the dialog stays until `act` is over and says why it failed, or else closes
 *   before `done`
 */
export function questionDialog() {
  const dialog = element("question");
  const button = element("question-verb");
  let asked;

  button.addEventListener("click", () =>
    whileBusy(button, async () => {
      const mine = asked;
      const isAsked = () => dialog.open && asked === mine;
      try {
        await mine.act();
      } catch (problem) {
        if (isAsked()) fill(dialog, { problem: problem.message });
        return;
      }
      // Closed in the meantime: the next round shows what became of it.
      if (!isAsked()) return;
      dialog.close();
      mine.done();
    }),
  );

  return ({ title, text, verb, keep = "Cancel" }, act, done) => {
    asked = { act, done };
    fill(dialog, { title, text, verb, keep, problem: "" });
    dialog.showModal();
  };
}

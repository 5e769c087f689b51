import { build, element, fill, whileBusy } from "./dom.js";
import { findingItem } from "./finding.js";

const SEVERITIES = ["critical", "high", "medium", "low", "info"];

/**
 * The dialog of a site's hardening report.
 * @returns {(api: object, site: object) => void} asks the router for the report and shows it
 */
export function hardeningDialog() {
  const dialog = element("hardening");
  const place = element("hardening-findings");
  const apply = element("hardening-apply");
  let api;
  let site;

  apply.addEventListener("click", () => whileBusy(apply, fixChosen).then(countChosen));

  const path = () => `/v1/sites/${site.id}/hardening`;
  const chosen = () => [...place.querySelectorAll("input:checked")].map((box) => box.value);

  function countChosen() {
    const count = chosen().length;
    apply.disabled = count === 0;
    fill(dialog, {
      apply:
        count === 0 ? "Fix the selected findings" : `Fix ${count} ${count === 1 ? "finding" : "findings"}`,
    });
  }

  const fixChosen = () => change(() => api.post(path(), { fixes: chosen() }));

  const stop = (id, button) =>
    whileBusy(button, () => change(() => api.delete(`${path()}/${encodeURIComponent(id)}`)));

  /** Do it, say what the server says of it, and read the report anew. */
  async function change(send) {
    const asked = site;
    fill(dialog, { problem: "", note: "" });
    try {
      const { note } = await send();
      if (!dialog.open || asked !== site) return;
      fill(dialog, { note });
      await read();
      // The button that asked is gone with its finding, or has nothing to do.
      element("hardening-title").focus();
    } catch (problem) {
      if (dialog.open && asked === site) fill(dialog, { problem: problem.message });
    }
  }

  async function read() {
    const asked = site;
    const report = await api.get(path());
    if (!dialog.open || asked !== site) return;
    show(report);
  }

  function show({ score, findings }) {
    const open = findings.filter(({ status }) => status === "open").length;
    fill(dialog, {
      summary: `Score ${score} of 100, ${open === 1 ? "1 finding is" : `${open} findings are`} open.`,
    });
    const item = (finding) =>
      findingItem(finding, { chosen: countChosen, stop: (button) => stop(finding.id, button) });
    const toRead = findings.filter(({ status }) => status === "open" || status === "unknown");
    const inOrder = findings.filter((finding) => !toRead.includes(finding));
    place.replaceChildren(
      ...SEVERITIES.flatMap((severity) => {
        const of = toRead.filter((finding) => finding.severity === severity);
        return of.length > 0 ? [build("h3", {}, severity), findingList(severity, of.map(item))] : [];
      }),
      build(
        "details",
        { class: "in-order" },
        build("summary", {}, `${inOrder.length} in order or not applicable`),
        findingList("In order", inOrder.map(item)),
      ),
    );
    countChosen();
  }

  return async (itsApi, itsSite) => {
    [api, site] = [itsApi, itsSite];
    place.replaceChildren();
    fill(dialog, { site: site.name, summary: "Asking the router…", note: "", problem: "" });
    countChosen();
    dialog.showModal();
    try {
      await read();
    } catch (problem) {
      if (dialog.open && site === itsSite) fill(dialog, { summary: "", problem: problem.message });
    }
  };
}

const findingList = (name, items) => build("ul", { class: "findings", "aria-label": name }, items);

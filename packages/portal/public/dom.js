/** The page's few tools. Everything that comes from the API reaches the page as text, never as markup. */

/** @returns {HTMLElement} the element with this id, which index.html has */
export const element = (id) => document.getElementById(id);

/** @returns {HTMLElement} a copy of the only child of a template in index.html */
export const copyOf = (id) => element(id).content.firstElementChild.cloneNode(true);

/**
 * Names and comments come from routers: what is not to be seen or turns the line around (control characters, escape
 * sequences, direction marks) is shown as its code. Line breaks stay. @public
 */
export function printable(text) {
  return text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Make an element. Strings among its children become text; false, null and undefined are left out.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
export function build(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, printable(value));
  const wanted = children.flat(3).filter((child) => child || child === "");
  made.append(...wanted.map((child) => (typeof child === "string" ? printable(child) : child)));
  keepRole(made);
  return made;
}

/** Put texts into the `data-field`s below root; a text that stands already is left alone, selection and all. */
export function fill(root, texts) {
  for (const [name, text] of Object.entries(texts)) {
    const field = root.querySelector(`[data-field="${name}"]`);
    const shown = printable(text ?? "");
    if (field.textContent !== shown) field.textContent = shown;
  }
}

/** The word a `.state` shows and the one its colour follows. */
export function fillState(root, name, text, state) {
  fill(root, { [name]: text });
  root.querySelector(`[data-field="${name}"]`).dataset.state = state;
}

/** A `<time>`: short text, exact moment on hover. */
export function fillTime(root, name, text, ms) {
  fill(root, { [name]: text });
  const field = root.querySelector(`[data-field="${name}"]`);
  if (ms === undefined) return;
  field.dateTime = new Date(ms).toISOString();
  field.title = new Date(ms).toLocaleString();
}

/**
 * Keep a parent's children in step with a list, by id. A child that stays is updated where it is, so that focus,
 * selection and scroll position survive every poll.
 * @param {HTMLElement} parent
 * @param {(item: {id: string}) => HTMLElement} create made once for each new id
 * @param {(child: HTMLElement, item: {id: string}) => void} update called for each item, each time
 */
export function keyed(parent, create, update) {
  const children = new Map();
  return (items) => {
    const current = new Set(items.map(({ id }) => id));
    for (const [id, child] of children) {
      if (current.has(id)) continue;
      child.remove();
      children.delete(id);
    }
    items.forEach((item, index) => {
      if (!children.has(item.id)) children.set(item.id, create(item));
      const child = children.get(item.id);
      update(child, item);
      if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
    });
  };
}

const TABLE_ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };

/** On a narrow page the tables are laid out as blocks, and some browsers then forget that they are tables. */
export function keepTableRoles() {
  const roots = [document, ...[...document.querySelectorAll("template")].map((template) => template.content)];
  for (const root of roots) {
    for (const part of root.querySelectorAll("table, thead, tbody, tr, td, th")) keepRole(part);
  }
}

function keepRole(part) {
  const tag = part.localName;
  const role = tag === "th" ? (part.scope === "row" ? "rowheader" : "columnheader") : TABLE_ROLES[tag];
  if (role) part.setAttribute("role", role);
}

/** Let the buttons marked `data-close` close their dialog. */
export function closeButtons() {
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
}

/** Close every dialog and take out what it showed, now: the event of closing comes some time later. */
export function emptyDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.close();
    for (const field of dialog.querySelectorAll("[data-field], [data-error]")) field.textContent = "";
    for (const form of dialog.querySelectorAll("form")) form.reset();
    for (const list of dialog.querySelectorAll("[data-list]")) list.replaceChildren();
  }
}

/** Run an action with its button out of reach until it is done. */
export async function whileBusy(button, action) {
  button.disabled = true;
  try {
    return await action();
  } finally {
    button.disabled = false;
  }
}

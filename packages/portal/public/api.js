/** An answer of the API that is no success, or no answer at all. `status` is 0 when the server was not reached. @public */
export class Problem extends Error {
  constructor(status, { title, detail, code, errors } = {}) {
    const sentences = [title ?? `The server answered ${status}`, detail].filter(Boolean);
    super(sentences.map(asSentence).join(". ").replaceAll(/\.\.+/g, "."));
    this.status = status;
    /** What kind of problem it is; undefined where the answer was none of the API's. */
    this.code = code;
    /** Field, by its dotted path -> what to change there. */
    this.fields = errors ?? {};
  }
}

const asSentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The API under one token. The token is sent in a header and appears nowhere else. */
export class Api {
  #token;
  #clockOffsetMs = 0;

  constructor(token) {
    this.#token = token;
  }

  /** The server's time, to the second: it decides when access ends, this machine's clock does not. */
  get now() {
    return Date.now() + this.#clockOffsetMs;
  }

  get(path) {
    return this.#send("GET", path);
  }

  delete(path) {
    return this.#send("DELETE", path);
  }

  put(path, body) {
    return this.#send("PUT", path, { body });
  }

  /** @param key the Idempotency-Key: the same one for every try of the same request */
  post(path, body, key = newKey()) {
    return this.#send("POST", path, { body, key });
  }

  async #send(method, path, { body, key } = {}) {
    const headers = { authorization: `Bearer ${this.#token}`, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (key !== undefined) headers["idempotency-key"] = key;
    const response = await fetch(path, {
      method,
      headers,
      body: JSON.stringify(body),
      cache: "no-store",
    }).catch(() => {
      throw new Problem(0, { title: "Portreeve can’t be reached" });
    });
    const serverTime = Date.parse(response.headers.get("date") ?? "");
    if (Number.isFinite(serverTime)) this.#clockOffsetMs = serverTime - Date.now();
    const answer = await response.json().catch(() => undefined);
    if (!response.ok) throw new Problem(response.status, answer);
    return answer;
  }
}

/** Random, and not by crypto.randomUUID: browsers have that on HTTPS only. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

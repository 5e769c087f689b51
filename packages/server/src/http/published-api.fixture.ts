/**
 * What clients were promised: `published-api.json` is the OpenAPI document as it was last published. The API may add to
 * it and take nothing away; a change that breaks it changes the file too, where a reviewer sees it.
 */
import { readFileSync } from "node:fs";

type Json = Record<string, unknown>;

const COMPONENT = /^#\/components\/schemas\/(.*)$/;
/** Words may be put better. */
const PROSE = new Set(["description", "summary", "title"]);

export const publishedApi: Json = JSON.parse(
  readFileSync(new URL("published-api.json", import.meta.url), "utf8"),
);

/** @returns where `now` no longer says what `before` said, and where it asks more of a request */
export function brokenPromises(before: Json, now: Json): string[] {
  return [...missing(before, now, "#"), ...newDemands(before, now)];
}

function missing(before: unknown, now: unknown, at: string): string[] {
  if (Array.isArray(before)) {
    if (!Array.isArray(now)) return [`${at} is no list any more`];
    return before
      .filter((item) => !now.some((other) => missing(item, other, at).length === 0))
      .map((item) => `${at} lacks ${JSON.stringify(item)}`);
  }
  if (typeof before !== "object" || before === null) {
    return before === now ? [] : [`${at} is ${JSON.stringify(now)} and was ${JSON.stringify(before)}`];
  }
  if (typeof now !== "object" || now === null) return [`${at} is gone`];
  return Object.entries(before).flatMap(([key, value]) =>
    PROSE.has(key) && typeof value === "string" ? [] : missing(value, (now as Json)[key], `${at}/${key}`),
  );
}

/** Fields, bodies and parameters that a request needs now and did not need before. */
function newDemands(before: Json, now: Json): string[] {
  const sent = componentsSent(now);
  const needed = (document: Json) => [
    ...Object.entries(schemasOf(document))
      .filter(([name]) => sent.has(name))
      .flatMap(([name, schema]) => demandsOf(schema, `#/components/schemas/${name}`)),
    ...demandsOf(document.paths, "#/paths"),
  ];
  const known = new Set(needed(before));
  const existed = (demand: string) => {
    const [, path] = /^#\/paths\/(\/[^ ]*)\/(?:get|post|put|patch|delete)\b/.exec(demand) ?? [];
    const [, name] = /^#\/components\/schemas\/([^/ ]+)/.exec(demand) ?? [];
    return path !== undefined ? path in (before.paths as Json) : (name ?? "") in schemasOf(before);
  };
  return needed(now)
    .filter((demand) => !known.has(demand) && existed(demand))
    .map((demand) => `${demand} is needed now`);
}

function demandsOf(value: unknown, at: string): string[] {
  if (Array.isArray(value)) {
    // A parameter is known by its name, not by its place in the list.
    return value.flatMap((item, index) => demandsOf(item, `${at}/${(item as Json)?.name ?? index}`));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === "responses") return [];
    if (key !== "required") return demandsOf(inner, `${at}/${key}`);
    if (Array.isArray(inner)) return inner.map((name) => `${at} ${name}`);
    return inner === true ? [at] : demandsOf(inner, `${at}/${key}`);
  });
}

/** Components that are part of a request, also by way of others. */
function componentsSent(document: Json): Set<string> {
  const schemas = schemasOf(document);
  const sent = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "responses") continue;
      const [, name] = (key === "$ref" && COMPONENT.exec(String(inner))) || [];
      if (name === undefined) visit(inner);
      else if (!sent.has(name)) {
        sent.add(name);
        visit(schemas[name]);
      }
    }
  };
  visit(document.paths);
  return sent;
}

function schemasOf(document: Json): Json {
  return ((document.components as Json | undefined)?.schemas ?? {}) as Json;
}

/** The routes of the API as its own OpenAPI document lists them: tests made from it can't forget a new one. */
import type { Scope } from "@portreeve/api-schema";
import { type ApiClient, expectStatus } from "./api.ts";

export interface DocumentedRoute {
  /** GET, POST, … */
  readonly method: string;
  /** `/v1/sites/{id}` */
  readonly path: string;
  /** Names of its path parameters, in order. */
  readonly parameters: readonly string[];
  readonly scope: Scope;
  readonly takesBody: boolean;
}

interface Operation {
  readonly security?: readonly { readonly bearer?: readonly string[] }[];
  readonly requestBody?: unknown;
}

export async function documentedRoutes(api: ApiClient): Promise<DocumentedRoute[]> {
  const document = expectStatus(await api.get("/openapi.json", { token: null }), 200);
  const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>);
  return paths.flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string),
      scope: scopeOf(operation, `${method} ${path}`),
      takesBody: operation.requestBody !== undefined,
    })),
  );
}

/** OpenAPI 3.1 lets a bearer scheme name what it needs, as OAuth scopes are named. */
function scopeOf({ security }: Operation, route: string): Scope {
  const [scope, ...more] = security?.[0]?.bearer ?? [];
  if (scope === undefined || more.length > 0)
    throw new Error(`the document names not one scope for ${route}`);
  return scope as Scope;
}

/** The path with its parameters filled in. @throws for a parameter that is not given */
export function fillIn(path: string, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${path}: no value for ${name}`);
    return value;
  });
}

/**
 * Query words that keep the rows with one of these values in a property: `?name=a ?name=b ?#|`. None keep all.
 * Source: MikroTik manual, "API", section on queries.
 */
export function anyOf(name: string, values: readonly string[]): string[] {
  return values.flatMap((value, i) => (i === 0 ? [`?${name}=${value}`] : [`?${name}=${value}`, "?#|"]));
}

/**
 * What a fleet file says: policies, and the sites that are to be under them. One form, in the words of the API:
 *
 *   policies:
 *     edge:                        a policy's name; or the slug of one that exists, with `name` inside
 *       ssh: { enabled: true, port: 22, networks: [10.0.0.0/8] }
 *       …                          the other fields of the API's PolicyInput
 *       default: true              the policy that sites start under, whatever its name
 *       sites: [fra-1, fra-2]      sites by their names
 */
import { type PolicyInput, plainMessage, policyInput, problemsOf } from "@portreeve/api-schema";
import { z } from "zod";
import { FleetFile, type Path, type Problem } from "./file.ts";

export interface FleetPolicy {
  /** As the file has it. */
  readonly key: string;
  /** The key is the slug of a policy that exists, and not a name. */
  readonly bySlug: boolean;
  /** It is the customer's default policy. */
  readonly isDefault: boolean;
  readonly input: PolicyInput;
  /** Names, in the file's order. */
  readonly sites: readonly string[];
}

export interface Fleet {
  readonly file: FleetFile;
  readonly policies: readonly FleetPolicy[];
}

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const fleetFile = z.strictObject({
  policies: z.custom<Record<string, unknown>>(isObject, "must be policies by their names"),
});
const siteName = z.string("must be the name of a site; put it in quotes if it looks like a number");
const fleetPolicy = policyInput.safeExtend({
  default: z.literal(true, "can only be true; leave it out elsewhere").optional(),
  sites: z.array(siteName).default([]),
});

/** Where a policy stands in its file. */
export function pathOf({ key }: Pick<FleetPolicy, "key">, ...rest: Path): Path {
  return ["policies", key, ...rest];
}

/**
 * Read a fleet file by the schema the API evaluates policies by.
 * @param name of the file, for messages
 * @throws OperatorError with everything that is wrong, each with its line
 */
export function readFleet(name: string, text: string): Fleet {
  const file = new FleetFile(name, text);
  const whole = parse(fleetFile, file.data() ?? {}, []);
  if (whole.problems.length > 0) throw file.refuse(whole.problems);
  const read = Object.entries(whole.data?.policies ?? {}).map(([key, fields]) => readPolicy(key, fields));
  const policies = read.flatMap(({ policy }) => policy ?? []);
  const problems = [...read.flatMap((one) => one.problems), ...contradictions(policies)];
  if (problems.length > 0) throw file.refuse(problems);
  return { file, policies };
}

function readPolicy(key: string, fields: unknown): { policy?: FleetPolicy; problems: Problem[] } {
  const bySlug = isObject(fields) && "name" in (fields as object);
  const named = isObject(fields) ? { name: key, ...(fields as object) } : fields;
  const { data, problems } = parse(fleetPolicy, named, pathOf({ key }));
  if (data === undefined) return { problems };
  const { default: isDefault = false, sites, ...input } = data;
  return { policy: { key, bySlug, isDefault, input, sites }, problems };
}

function parse<Output>(schema: z.ZodType<Output>, input: unknown, path: Path) {
  const { data, error } = schema.safeParse(input, { error: plainMessage });
  const problems = (error?.issues ?? []).flatMap((issue) =>
    problemsOf(issue).map(([below, message]): Problem => ({ path: [...path, ...below], message })),
  );
  return { data, problems };
}

/** What each policy may say alone, but not two of them. */
function contradictions(policies: readonly FleetPolicy[]): Problem[] {
  return [
    ...repeated(policies.map((policy) => ({ path: pathOf(policy), key: policy.input.name, policy }))),
    ...repeated(
      policies
        .filter(({ isDefault }) => isDefault)
        .map((policy) => ({ path: pathOf(policy, "default"), key: "the default", policy })),
    ),
    ...repeated(
      policies.flatMap((policy) =>
        policy.sites.map((site, index) => ({ path: pathOf(policy, "sites", index), key: site, policy })),
      ),
    ),
  ];
}

interface Claim {
  readonly path: Path;
  readonly key: string;
  readonly policy: FleetPolicy;
}

function repeated(claims: readonly Claim[]): Problem[] {
  const first = new Map<string, FleetPolicy>();
  return claims.flatMap(({ path, key, policy }) => {
    const holder = first.get(key);
    first.set(key, holder ?? policy);
    return holder ? [{ path, message: `${key} is already at ${holder.key}` }] : [];
  });
}

/**
 * A plan as one RouterOS script, for a router that fetches its work: the same steps that the API would get, the same
 * rollback timer before them, and a report at the end. Pure.
 */
import { identifier, itemId, menu, type Script, script, value } from "@portreeve/routeros";
import type { Delivery } from "./link.ts";
import { removeRollbackTimer, rollbackTimer, SCHEDULER, TIMED_NAMES } from "./rollback-timer.ts";
import { withArguments } from "./script-arguments.ts";
import type { SecretReference, Step } from "./types.ts";

export interface PlanScriptOptions {
  /**
   * Tells how it went, as the end of the script. It may read `$armed`, whether the rollback timer stood before the
   * first step (true where none was to be), and `$delivered`, how many steps were carried out.
   */
  readonly report: Script;
  /** Seconds a change of the management path has to prove itself. */
  readonly rollbackSeconds: number;
  /** Secrets of steps in the clear; without it a plan that has some is refused. */
  readonly secret?: (reference: SecretReference) => string;
}

/**
 * Carry steps out one after the other, up to the first that is refused, and report.
 * @throws Error a step holds a secret, and none are to be written into scripts
 */
export function planScript({ steps, rollback }: Delivery, options: PlanScriptOptions): Script {
  const counted = steps.map(
    (step, i) => script`${stepScript(step, options)}
:set delivered ${value(i + 1)}`,
  );
  const arming = rollback ? armScript(steps, options.rollbackSeconds) : [];
  return script`:local armed false
:local delivered 0
:do {
${arming}
:set armed true
${counted}
} on-error={}
${options.report}`;
}

/**
 * Take a rollback timer away: the change stands.
 * @param report may read `$stands`, whether the timer was still there
 */
export function confirmScript(report: Script): Script {
  const found = TIMED_NAMES.map(
    (name) =>
      script`:if ([:len [${menu(SCHEDULER)} find where name=${value(name)}]] > 0) do={ :set stands true }`,
  );
  return script`:local stands false
${found}
${removeRollbackTimer()}
${report}`;
}

/** One of an earlier change would undo this one. */
function armScript(steps: readonly Step[], seconds: number): Script[] {
  const add = script`${menu(SCHEDULER)} add`;
  return [
    ...removeRollbackTimer(),
    ...rollbackTimer(steps, seconds).map((entry) => withArguments(add, entry)),
  ];
}

function stepScript(step: Step, { secret }: PlanScriptOptions): Script {
  const { values, target } = step;
  const command = script`${menu(step.menu)} ${identifier(step.command)}`;
  const addressed = target.id === undefined ? command : script`${command} ${itemId(target.id)}`;
  const whole = withArguments(addressed, { ...values, ...revealed(step, secret) });
  return values.certificate === undefined ? whole : retried(whole);
}

function revealed({ secrets, text }: Step, secret: PlanScriptOptions["secret"]): Record<string, string> {
  const opened = Object.entries(secrets).map(([name, reference]) => {
    if (!secret) throw new Error(`a script must not hold the secrets of: ${text}`);
    return [name, secret(reference)];
  });
  return Object.fromEntries(opened);
}

/** A certificate can be named only a moment after it was signed (MikroTik manual, "REST API"). */
function retried(command: Script): Script {
  return script`:local named false
:for attempt from=1 to=50 do={ :if (!$named) do={ :do { ${command}; :set named true } on-error={ :delay 500ms } } }
:if (!$named) do={ ${command} }`;
}

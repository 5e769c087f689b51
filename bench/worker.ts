/** The worker's side of `Worker`. */

export type Tasks = Readonly<Record<string, (input: never) => unknown>>;

/** Do each task the parent names and send back what it returns. Ends with the parent, however that ended. */
export function serveTasks(tasks: Tasks): void {
  process.on("message", async ({ task, input }: { task: string; input: never }) => {
    try {
      process.send?.({ value: await tasks[task]?.(input) });
    } catch (error) {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.once("disconnect", () => process.exit());
}

export { TaskRunner, type TaskRunnerOptions } from "./task-runner.ts";
export type { LeasedTask, OwnTask, Status, Task, TaskStatus } from "./types.ts";

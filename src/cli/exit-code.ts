/** What a command's exit code means; docs/cli.md says so to users, so none of them ever changes. */
export const EXIT = {
  done: 0,
  /** Refused, failed, stalled, not found; of `diff`: there are differences. */
  failed: 1,
  /** The command line cannot be understood; of `diff`: it could not be told whether there are differences. */
  misused: 2,
  /** Still under way when the time given was over. */
  timedOut: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

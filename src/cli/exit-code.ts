/** Exit codes of the commands. They are documented in docs/cli.md, so their meaning must not change. */
export const EXIT = {
  done: 0,
  /** Refused, failed, stalled or not found. For `diff`: there are differences. */
  failed: 1,
  /** The command line is invalid. For `diff`: the comparison failed or is incomplete. */
  misused: 2,
  /** Not finished within the timeout. */
  timedOut: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

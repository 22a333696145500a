/** The environment of a process of Node that a test starts. */

/**
 * The path of programs, the folder of temporary files, on which defaults of settings depend, and the folder with the
 * compiled code of the run, in which Node finds what it loads again.
 */
export function nodeEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TMPDIR, NODE_COMPILE_CACHE } = process.env;
  return {
    PATH,
    ...(TMPDIR !== undefined && { TMPDIR }),
    ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }),
  };
}

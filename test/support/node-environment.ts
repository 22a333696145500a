/** The environment of a process of Node that a test starts. */

/** The path of programs, and the folder with compiled code of the run, in which Node finds what it loads again. */
export function nodeEnvironment(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }) };
}

/** The version of Node that the program needs. On an older one, commands would die somewhere inside a library. */

const LEAST_MAJOR = 24;
const LEAST_MINOR = 12;

/** For people; undefined if the version is new enough. `version` is that of `process.versions.node`. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR)) return undefined;
  return `tautline needs Node ${LEAST_MAJOR}.${LEAST_MINOR} or newer, and this is Node ${version}: install a newer Node`;
}

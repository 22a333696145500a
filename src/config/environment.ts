/** Reads the environment, and is the only file that does. */
import { delimiter } from 'node:path';

/** The value of NODE_OPTIONS. */
export function readNodeOptions(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['NODE_OPTIONS'] ?? '';
}

/** The folders in which programs are looked up. */
export const searchPath = (environment = process.env): string => environment['PATH'] ?? '';

/** The files that KUBECONFIG names, separated by the path delimiter as for kubectl. */
export function kubeconfigFiles(environment: Readonly<Record<string, string | undefined>> = process.env): string[] {
  return (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
}

/** The whole environment, for a program that a person lets run in the same way as in a shell. */
export const ownEnvironment = (environment = process.env): Readonly<Record<string, string | undefined>> => environment;

/** The address of the API server in the environment of a Pod. `host` is empty outside a cluster. */
export function inClusterAddress(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly host: string;
  readonly port: string;
} {
  return {
    host: environment['KUBERNETES_SERVICE_HOST'] ?? '',
    port: environment['KUBERNETES_SERVICE_PORT'] ?? '443',
  };
}

/** The usual proxy variables, used for Git servers over http and https. A name in lower case takes precedence. */
export function proxySettings(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly http: string;
  readonly https: string;
  readonly exceptions: string;
} {
  const read = (name: string): string => environment[name.toLowerCase()] || environment[name] || '';
  return { http: read('HTTP_PROXY'), https: read('HTTPS_PROXY'), exceptions: read('NO_PROXY') };
}

/** Runs the real helm, without the settings of the person who runs the tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { helmBinary } from '../control-plane/binaries.ts';
import { run, type CommandResult } from './command.ts';

export const CHART = join(import.meta.dirname, '../../charts/tautline');
export const NAMESPACE = 'tautline-system';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // Tests read all other fields by name.
  readonly [field: string]: unknown;
}

export interface Helm extends AsyncDisposable {
  /** Runs one command. A failure of helm does not reject; it is in `code`. */
  run(args: readonly string[], values?: unknown): Promise<CommandResult>;
  /** Objects of `helm template`, in the namespace of the tests. Rejects with helm's own message if it fails. */
  render(values?: unknown, chart?: string): Promise<KubeObject[]>;
}

export async function openHelm(kubeconfig = '/nonexistent'): Promise<Helm> {
  const helm = await helmBinary();
  const home = mkdtempSync(join(tmpdir(), 'tautline-helm-'));
  const environment = {
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  };
  // Values go through standard input, as JSON, which is YAML, so that no quoting can change them.
  const runHelm: Helm['run'] = (args, values = {}) =>
    run(helm, [...args, '--values', '-'], { environment, input: JSON.stringify(values) });
  return {
    run: (args, values) => (values === undefined ? run(helm, args, { environment }) : runHelm(args, values)),
    async render(values = {}, chart = CHART) {
      const { code, stdout, stderr } = await runHelm(['template', 'tautline', chart, '--namespace', NAMESPACE], values);
      if (code !== 0) throw new Error(stderr);
      return readObjects(stdout);
    },
    async [Symbol.asyncDispose]() {
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export function readObjects(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [problem] = 'errors' in document ? document.errors : [];
    if (problem) throw problem;
    const value = document.toJS() as KubeObject | null;
    return value === null ? [] : [value];
  });
}

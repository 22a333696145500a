/**
 * The arguments of one call of `helm template`, and its standard input.
 *
 * Invariant: a text of a user never stands where helm expects a flag, a file or an address. Files are named by their
 * place in the folder of the run, and texts of values go to the standard input.
 */
import { valuesPath } from '../render/helm/chart-files.ts';
import type { Capabilities, HelmRun, HelmValues } from '../render/needs.ts';

export interface HelmCommand {
  readonly args: readonly string[];
  readonly input: string;
  /** Texts of values that cannot be part of the input: files to write beside the chart. */
  readonly valueFiles: readonly { readonly path: string; readonly text: string }[];
}

export function helmCommand(run: HelmRun, capabilities: Capabilities): HelmCommand {
  const { values, input, valueFiles } = valueFlags(run.values);
  const kubeVersion = run.kubeVersion ?? capabilities.kubeVersion;
  const apiVersions = [...new Set([...capabilities.apiVersions, ...run.apiVersions])];
  const flags = [
    ...flag('--namespace', run.namespace),
    ...flag('--kube-version', kubeVersion ?? ''),
    ...flag('--name-template', run.nameTemplate ?? ''),
    ...apiVersions.flatMap((version) => flag('--api-versions', version)),
    ...values,
    ...run.parameters.flatMap(({ name, value, isText }) => flag(isText ? '--set-string' : '--set', `${name}=${value}`)),
    ...(run.includeCrds ? ['--include-crds'] : []),
    ...(run.skipTests ? ['--skip-tests'] : []),
    ...(run.skipHooks ? ['--no-hooks'] : []),
  ];
  // A name template and a name exclude each other. Everything behind -- is a name or a path, and never a flag.
  const names = run.nameTemplate === undefined ? ['--', run.releaseName] : ['--generate-name', '--'];
  return { args: ['template', ...flags, ...names, './chart'], input, valueFiles };
}

/** One argument, so that a value that begins with a dash stays a value. */
function flag(name: string, value: string): string[] {
  return value === '' ? [] : [`${name}=${value}`];
}

/**
 * The first texts that follow each other go to the standard input as documents of one stream, which helm merges in
 * their order. Texts behind a later file, which no caller gives today, become files.
 */
function valueFlags(all: readonly HelmValues[]): {
  readonly values: readonly string[];
  readonly input: string;
  readonly valueFiles: HelmCommand['valueFiles'];
} {
  const first = all.findIndex(({ type }) => type === 'text');
  const behind = first < 0 ? -1 : all.findIndex(({ type }, index) => index > first && type === 'file');
  const end = behind < 0 ? all.length : behind;
  const values: string[] = [];
  const stream: string[] = [];
  const valueFiles: { path: string; text: string }[] = [];
  for (const [index, one] of all.entries()) {
    const path = valuesPath(index);
    if (one.type === 'text' && index < end) {
      stream.push(one.text);
      if (index === first) values.push('--values=-');
      continue;
    }
    if (one.type === 'text') valueFiles.push({ path, text: one.text });
    values.push(`--values=./${path}`);
  }
  return { values, input: stream.join('\n---\n'), valueFiles };
}

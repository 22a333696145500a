/**
 * Turns the error output of helm into a problem: what is wrong, and in which file and line of the chart.
 *
 * Invariant: if a value of the run is from a Secret, the problem repeats only the parts of the message that come from
 * the chart: names of files, lines and actions of templates. Everything else may contain a value.
 */
import type { ProblemCode } from '../object/problem.ts';
import type { Answer, HelmRun } from '../render/needs.ts';

export type HelmRefusal = Extract<Answer, { readonly type: 'refused' }>;

/** The words of helm about one failure. */
interface Failure {
  /** The error message, in one or several lines. */
  readonly text: string;
  readonly run: Pick<HelmRun, 'values'>;
  readonly isSecret: boolean;
}

/** A rule that knows one kind of failure; undefined if the failure is of another kind. */
type Rule = (failure: Failure) => HelmRefusal | undefined;

export function explainFailure(stderr: string, run: Pick<HelmRun, 'values'>): HelmRefusal {
  const text = messageOf(stderr);
  const isSecret = run.values.some((values) => values.type === 'text' && values.isSecret);
  const failure = { text, run, isSecret };
  for (const rule of RULES) {
    const found = rule(failure);
    if (found !== undefined) return found;
  }
  return refusal('TemplateFailed', isSecret ? `helm cannot render the chart ${HIDDEN}` : `helm: ${text}`);
}

/** The file and the line of the output that helm could not read as YAML; undefined for other failures. */
export function malformedOutputOf(stderr: string): { readonly path: string; readonly line: number } | undefined {
  const [, path, line] = /^YAML parse error on (\S+):.*?\bline (\d+)/s.exec(messageOf(stderr)) ?? [];
  return path === undefined ? undefined : { path, line: Number(line) };
}

const HIDDEN = '(the message is not shown, because it may contain a value of a Secret)';

/** Messages are cut here. */
const MAX_CHARS = 600;

function messageOf(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => !/^level=|^Use --debug flag|^WARNING: /.test(line))
    .join('\n');
  // The first one is from helm. The message of a chart may begin with the same word.
  const [, text = lines] = /^Error: (.*)/ms.exec(lines) ?? [];
  return text.trim().slice(0, MAX_CHARS * 4);
}

function refusal(code: ProblemCode, message: string, extra: Omit<HelmRefusal, 'type' | 'problem'> & Hint = {}) {
  const { hint, blamed } = extra;
  const cut = message.length <= MAX_CHARS ? message : `${message.slice(0, MAX_CHARS)}…`;
  return {
    type: 'refused',
    problem: { code, message: cut, ...(hint === undefined ? {} : { hint }) },
    ...(blamed === undefined ? {} : { blamed }),
  } as const satisfies HelmRefusal;
}

interface Hint {
  readonly hint?: string;
}

/** A template has the name `<chart>/templates/x.yaml`, and that of a dependency `<chart>/charts/<name>/templates/…`. */
function blame(name: string, line?: string): { blamed: NonNullable<HelmRefusal['blamed']> } {
  const path = name.slice(name.indexOf('/') + 1);
  return { blamed: line === undefined ? { path } : { path, line: Number(line) } };
}

const malformedOutput: Rule = ({ text, isSecret }) => {
  const [, name, why] = /^YAML parse error on (\S+): (.*)$/s.exec(text) ?? [];
  if (name === undefined || why === undefined) return undefined;
  const bare = why.replace(/^error converting YAML to JSON: |^error unmarshaling JSON: /, '').replace(/^yaml: /, '');
  const isObject = !bare.includes('cannot unmarshal');
  const shown = isSecret ? (/\bline \d+/.exec(bare)?.[0] ?? HIDDEN) : bare;
  const message = isObject ? `the template prints no YAML: ${shown}` : 'the template prints YAML that is no object';
  return refusal('YamlSyntax', message.replace(/\bline (\d+)/, 'line $1 of its output'), {
    ...blame(name),
    hint: 'Run helm template with --debug to see the output.',
  });
};

/** `fail` and `required`. */
const refusedByTemplate: Rule = ({ text, isSecret }) => {
  const [, name = '', line = '', why = ''] = /^execution error at \((.+?):(\d+)(?::\d+)?\): (.*)$/s.exec(text) ?? [];
  if (name === '') return undefined;
  return refusal('TemplateFailed', `the chart refuses its values: ${isSecret ? HIDDEN : why}`, {
    ...blame(name, line),
    hint: 'The message is from the template. Set the values that it asks for.',
  });
};

const malformedTemplate: Rule = ({ text }) => {
  const [, name = '', line = '', why = ''] = /^parse error at \((.+?):(\d+)\): (.*)$/s.exec(text) ?? [];
  return name === '' ? undefined : refusal('TemplateFailed', `the template is malformed: ${why}`, blame(name, line));
};

/** A chain of places, the last one innermost, each with the action that failed there. */
const PLACE = /(?:^|template: |\n)([^\s:]+):(\d+):\d+(?::|\n)\s*executing "[^"]*" at <(.*?)>:/gs;

const failedAction: Rule = ({ text, isSecret }) => {
  const places = [...text.matchAll(PLACE)];
  const inFiles = places.filter(([, name = '']) => name.includes('/'));
  const innermost = inFiles.at(-1);
  const last = places.at(-1);
  if (innermost === undefined || last === undefined) return undefined;
  const [, name = '', line = ''] = innermost;
  // The place of an action within a text that `tpl` renders is a value itself.
  const action = ((isSecret ? innermost : last)[3] ?? '').trim();
  const why = text.slice(last.index + last[0].length).trim();
  const known = /^(nil pointer evaluating|error calling (include|tpl|required|fail)\b|map has no entry)/.exec(why);
  const shown = isSecret ? (known?.[1] ?? HIDDEN) : why.replace(/\s*\n\s*/g, ' ');
  return refusal('TemplateFailed', `the action {{ ${action} }} fails: ${shown}`, blame(name, line));
};

const missingDependency: Rule = ({ text }) => {
  const [, names] = /missing in charts\/ directory: (.*)$/s.exec(text) ?? [];
  if (names === undefined) return undefined;
  return refusal('DependencyMissing', `the chart needs ${names.trim()}, which is not in its folder charts`, {
    blamed: { path: 'Chart.yaml' },
  });
};

const refusedBySchema: Rule = ({ text, isSecret }) => {
  if (!text.startsWith("values don't meet the specifications of the schema")) return undefined;
  const [, ...lines] = text.split('\n');
  let chart = '';
  const details = new Set<string>();
  for (const line of lines) {
    // The reasons of a detail stand below it, further to the right.
    const detail = /^\s*- (at '[^']*')(.*)$/.exec(line);
    if (detail !== null) details.add(`${chart} ${detail[1]}${isSecret ? '' : detail[2]}`);
    else if (/^\S+:$/.test(line)) chart = line;
  }
  // helm prints them in another order each time.
  const message = `values.schema.json of the chart refuses the values:\n${[...details].sort().join('\n')}`;
  return refusal('ValuesInvalid', message, { blamed: { path: 'values.schema.json' } });
};

const malformedFile: Rule = ({ text, isSecret }) => {
  const [, name, why = ''] = /^cannot load (Chart\.yaml|values\.yaml|requirements\.yaml|\S+): (.*)$/s.exec(text) ?? [];
  if (name === undefined) return undefined;
  const code = name.endsWith('values.yaml') ? 'ValuesInvalid' : 'ChartInvalid';
  const shown = isSecret ? '' : `: ${yamlReason(why)}`;
  return refusal(code, `${name} of the chart cannot be read${shown}`, { blamed: { path: name } });
};

/** A file or text with values that is no map in YAML. */
const malformedValues: Rule = ({ text, run, isSecret }) => {
  const [, name, why = ''] = /^failed to parse (\S+): (.*)$/s.exec(text) ?? [];
  if (name === undefined) return undefined;
  const values = run.values[Number(/^\.\/values\/(\d+)\.yaml$/.exec(name)?.[1] ?? NaN)];
  const where = values?.type === 'file' ? values.place.path : 'the given values';
  return refusal('ValuesInvalid', `${where} cannot be read${isSecret ? '' : `: ${yamlReason(why)}`}`);
};

const malformedParameter: Rule = ({ text, isSecret }) => {
  const [, why] = /^failed parsing --set(?:-string)? data: (.*)$/s.exec(text) ?? [];
  if (why === undefined) return undefined;
  return refusal('ValuesInvalid', `a parameter cannot be read${isSecret ? '' : `: ${why}`}`);
};

const wrongCluster: Rule = ({ text }) => {
  const [, wanted, version] =
    /^chart requires kubeVersion: (.+) which is incompatible with Kubernetes (\S+)/.exec(text) ?? [];
  if (wanted === undefined) return undefined;
  return refusal('ChartInvalid', `the chart needs Kubernetes ${wanted}, and is rendered for ${version}`, {
    blamed: { path: 'Chart.yaml' },
    hint: 'Use another version of the chart, or set spec.render.helm.kubeVersion.',
  });
};

const libraryChart: Rule = ({ text }) => {
  if (!text.startsWith('library charts are not installable')) return undefined;
  return refusal('ChartInvalid', 'the chart is of type library, which renders no objects by itself', {
    blamed: { path: 'Chart.yaml' },
    hint: 'Render a chart that depends on it.',
  });
};

const malformedChart: Rule = ({ text, isSecret }) => {
  const [, why] = /^(?:validation: |release name |invalid kube version)(.*)$/s.exec(text) ?? [];
  if (why === undefined) return undefined;
  return refusal('ChartInvalid', `helm refuses the chart: ${isSecret ? HIDDEN : text}`, {
    blamed: { path: 'Chart.yaml' },
  });
};

function yamlReason(text: string): string {
  return text
    .replace(/^cannot unmarshal yaml document: /, '')
    .replace(/^error converting YAML to JSON: (yaml: )?/, '')
    .replace(/^error unmarshaling JSON: while decoding JSON: json: cannot unmarshal \w+ into .*$/s, 'it is no map');
}

const RULES: readonly Rule[] = [
  malformedOutput,
  refusedByTemplate,
  malformedTemplate,
  missingDependency,
  refusedBySchema,
  malformedFile,
  malformedValues,
  malformedParameter,
  wrongCluster,
  libraryChart,
  malformedChart,
  failedAction,
];

/** The files that the demo commits and the Applications that it declares. Both come from examples/. */
import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { TestRepository } from '../support/git-repository.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
export const NAMESPACE = 'tautline-demo';
export const APPLICATIONS = ['shop', 'plain'];

/** All files of examples/: text by path. */
export async function readExamples(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(EXAMPLES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[relative(EXAMPLES, path)] = await readFile(path, 'utf8');
  }
  return files;
}

/** Manifests of the namespace and of the Applications in examples/applications, with the URL of this repository. */
export async function declarations(repository: TestRepository): Promise<string[]> {
  const namespace = stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const applications = await Promise.all(
    APPLICATIONS.map(async (name) => {
      const application = parse(await readFile(join(EXAMPLES, 'applications', `${name}.yaml`), 'utf8'));
      application.metadata.namespace = NAMESPACE;
      application.spec.source.repoURL = repository.url;
      application.spec.source.interval = '10s';
      return stringify(application);
    }),
  );
  return [namespace, ...applications];
}

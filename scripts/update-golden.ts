/**
 * `node scripts/update-golden.ts`: builds the folder `input/` of every case in test/golden/render with the real
 * kustomize, and writes the output to the `expected.yaml` of the case.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kustomizeBinary } from '../test/control-plane/binaries.ts';

const cases = join(import.meta.dirname, '../test/golden/render');
const kustomize = await kustomizeBinary();
for (const name of readdirSync(cases)) {
  const printed = execFileSync(kustomize, ['build', join(cases, name, 'input')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  writeFileSync(join(cases, name, 'expected.yaml'), printed);
  console.log(`${name}: ${printed.split('\n').length} lines`);
}

/** Renders the folders of its arguments one after the other with the built code. Started by render.ts. */
import { join } from 'node:path';
import type * as render from '../src/cli/render.ts';

const dist = join(import.meta.dirname, '../dist');
const { runRender } = (await import(join(dist, 'cli/render.js'))) as typeof render;
for (const dir of process.argv.slice(2)) await runRender({ dir, output: 'yaml', directory: false, helm: 'helm' });

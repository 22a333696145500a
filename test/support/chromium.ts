/**
 * Chromium for the tests of the page, from an npm package. It is unpacked once into the cache.
 *
 * Invariant: the folder in the cache is complete. It is unpacked under another name and renamed, so that tests that run
 * at the same time never start a half-written program.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import packaged from '@sparticuz/chromium';
import { chromium as playwright, type Browser } from 'playwright-core';

const ROOT = join(import.meta.dirname, '../..');
const PACKAGE = '@sparticuz/chromium';

/** The package unpacks into the folder for temporary files of its process. */
const UNPACK = `
import chromium from '${PACKAGE}';
chromium.setGraphicsMode = false;
await chromium.executablePath();
`;

/** Flags of the package that are left out: one process for all, and those that switch off rules of the web. */
const LEFT_OUT = /^--(single-process|disable-web-security|allow-running-insecure-content|disable-site-isolation)/;

/** The folder of the program and its fonts. Unpacking costs some seconds of CPU time. */
export async function chromiumFolder(): Promise<string> {
  const manifest = await readFile(join(ROOT, 'node_modules', PACKAGE, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tautline');
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(join(cache, '.unpacking-'));
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', UNPACK], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: made },
    });
    await writeFile(join(made, FONT_SETTINGS), fontSettings(join(folder, 'fonts'), join(folder, 'font-cache')));
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** The settings of the package name the fonts by a path below /tmp. */
const FONT_SETTINGS = 'fonts.conf';

function fontSettings(fonts: string, cache: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>
`;
}

export async function startChromium(): Promise<Browser> {
  const folder = await chromiumFolder();
  packaged.setGraphicsMode = false;
  return playwright.launch({
    executablePath: join(folder, 'chromium'),
    headless: true,
    args: packaged.args.filter((flag) => !LEFT_OUT.test(flag)),
    env: { ...process.env, FONTCONFIG_FILE: join(folder, FONT_SETTINGS) },
  });
}

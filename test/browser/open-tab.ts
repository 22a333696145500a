/** A tab of the browser on the page, for the tests of this folder. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Locator, Page as Tab } from 'playwright-core';

/** Milliseconds; long enough for a loaded machine. */
const PATIENCE_MS = 120_000;
const WIDE = { width: 1280, height: 800 };

export const PHONE = { width: 390, height: 780 };

export interface OpenTab extends AsyncDisposable {
  readonly tab: Tab;
  /** Errors of scripts and of the console, but for requests that are refused or have no answer. */
  readonly errors: string[];
}

/** A new tab without cookies, at this address. */
export async function openTab(browser: Browser, url: string): Promise<OpenTab> {
  const context = await browser.newContext({ viewport: WIDE, colorScheme: 'light' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const tab = await context.newPage();
  tab.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  tab.on('pageerror', (error) => errors.push(String(error)));
  tab.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/net::ERR_|status of 40[134]/.test(text)) errors.push(text);
  });
  await tab.goto(url);
  return { tab, errors, [Symbol.asyncDispose]: () => context.close() };
}

export async function assertAccessible(tab: Tab, view: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page: tab }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`);
  assert.deepEqual(found, [], view);
}

/** Keeps a picture for the pages in docs/, if the environment names a folder for it. A part of the page is small. */
export async function picture(tab: Tab, name: string, part?: Locator): Promise<void> {
  const folder = process.env['TAUTLINE_PICTURES'];
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  if (part) await part.screenshot({ path });
  else await tab.screenshot({ path, clip: { x: 0, y: 0, width: WIDE.width, height: 640 } });
}

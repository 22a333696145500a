/** Chromium for the tests of the page. It is unpacked here, before those tests run at the same time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startChromium } from '../support/chromium.ts';

test('Chromium starts, and shows a page with the fonts of the package', async () => {
  await using browser = await startChromium();
  const tab = await browser.newPage();
  await tab.setContent('<h1>Tautline</h1>');
  assert.equal(await tab.getByRole('heading').innerText(), 'Tautline');
  // Without fonts all characters would have one width.
  const widths =
    "[...'iW'].map((letter) => { const span = document.createElement('span'); span.textContent = letter;" +
    ' document.body.append(span); return span.getBoundingClientRect().width; })';
  const [narrow = 0, wide = 0] = await tab.evaluate<number[]>(widths);
  assert.ok(wide > narrow * 2, `${narrow} and ${wide}`);
});

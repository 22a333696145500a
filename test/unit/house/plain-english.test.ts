/** Comments, test names and log messages are written in plain English; CONTRIBUTING.md describes the rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNone } from './assert-none.ts';
import { commentsOf, logMessagesOf, testNamesOf, type Passage } from './prose.ts';
import { listCode, readSources } from './source-files.ts';

/** A sentence that begins with one of these words hides its subject: the reader learns at the end what it is about. */
const OPENINGS = ['What', 'Who', 'Whoever', 'Whatever', 'Of', 'That which'];

/**
 * Words that are old-fashioned, or that avoid the name of the thing or person they stand for. A reader who learned
 * English as a second language does not know them, or has to guess which of several things is meant.
 */
const REFUSED_WORDS = [
  ...['nobody', 'somebody', 'anew', 'lest', 'whoever', 'for want of', 'at all events', 'of its own accord'],
  ...['has the say', 'as well as can be'],
];

const ROOTS = /^(src|test|bench|scripts)\//;
const THIS_FILE = 'test/unit/house/plain-english.test.ts';

const files = readSources(listCode().filter((path) => ROOTS.test(path) && path !== THIS_FILE));
const opening = new RegExp(`(?:^|[.:;!?] )(?:${OPENINGS.join('|')})\\b`);
const refusedWord = new RegExp(`\\b(?:${REFUSED_WORDS.join('|')})\\b`, 'i');

function breachesOf(passages: readonly Passage[], isBreach: (text: string) => boolean): string[] {
  return passages.filter(({ text }) => isBreach(text)).map(({ place, text }) => `${place}: ${text.slice(0, 100)}`);
}

function isRefused(text: string): boolean {
  return opening.test(text) || refusedWord.test(text);
}

test('no sentence of a comment hides its subject or uses a refused word', () => {
  assertNone(breachesOf(files.flatMap(commentsOf), isRefused), 'comments to rewrite:');
});

test('no test name hides its subject or uses a refused word', () => {
  const startsBadly = new RegExp(`^(?:${OPENINGS.join('|')})\\b`, 'i');
  const names = files.filter(({ path }) => path.endsWith('.test.ts')).flatMap(testNamesOf);
  assertNone(
    breachesOf(names, (name) => startsBadly.test(name) || refusedWord.test(name)),
    'test names to rewrite:',
  );
});

test('log messages begin in lower case', () => {
  const messages = files.filter(({ path }) => path.startsWith('src/')).flatMap(logMessagesOf);
  assert.ok(messages.length > 0);
  assertNone(
    breachesOf(messages, (message) => !/^[a-z]/.test(message)),
    'log messages to rewrite:',
  );
});

test('the rules find each kind of text that they refuse', () => {
  const text = [
    '/**',
    ' * Whatever comes is read.',
    ' *',
    ' * The first line. Of the rest nothing is known.',
    ' */',
    "const url = 'https://example.com/What';",
    'const n = 1; // Who reads this?',
    '// Two lines that end with',
    '// a word: nobody.',
    '/** `What` is code. */',
    "test('whoever asks is answered', () => log.warn('A message', {}));",
  ].join('\n');
  const file = { path: 'a.ts', text };
  const refused = commentsOf(file).filter((passage) => isRefused(passage.text));
  assert.deepEqual(
    refused.map(({ place }) => place),
    ['a.ts:2', 'a.ts:4', 'a.ts:7', 'a.ts:8'],
  );
  assert.deepEqual(testNamesOf(file), [{ place: 'a.ts:11', text: 'whoever asks is answered' }]);
  assert.deepEqual(logMessagesOf(file), [{ place: 'a.ts:11', text: 'A message' }]);
});

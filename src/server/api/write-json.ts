/**
 * Writes answers in JSON. The bigints of field values beyond 2^53 keep all their digits, and characters that a terminal
 * would interpret become their escapes, which are the same values in JSON.
 */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { stringifyJson } from '../../object/json.ts';
import { printable } from '../../object/printable.ts';
import type { Value } from '../../object/value.ts';

export function writeJson(answer: object): string {
  return printable(stringifyJson(answer as unknown as Value));
}

export function sendJson(response: Response, texts: readonly string[], status = 200): void {
  response.status(status).type('application/json').send(texts.join(''));
}

/** The texts of the members of a list in JSON, with commas between them. */
export function* writeEach<T>(members: readonly T[], toText: (member: T) => string): Generator<undefined, string[]> {
  const texts: string[] = [];
  for (const member of members) {
    texts.push((texts.length > 0 ? ',' : '') + toText(member));
    yield;
  }
  return texts;
}

/** An entity tag (RFC 9110) of everything that an answer is made from. */
export function entityTagOf(...parts: readonly string[]): string {
  return `"${createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 27)}"`;
}

/** Sets the tag. true: the caller holds this very answer, and has been told so with 304. */
export function isUnchanged(request: Request, response: Response, tag: string): boolean {
  response.set('ETag', tag);
  const known = request.headers['if-none-match'] ?? '';
  const isKnown =
    known.length <= MAX_TAGS_CHARS && known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
  if (isKnown) response.status(304).end();
  return isKnown;
}

const MAX_TAGS_CHARS = 1_024;

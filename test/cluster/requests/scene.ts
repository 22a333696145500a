/** What the tests of requests share: asking by annotation, and waiting for the answer of that very id. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ApplicationHandle, Json, World } from '../../support/world.ts';
import { at } from '../agent/scene.ts';

/** Writes the annotation; resolves to the request's id. */
export async function ask(
  world: World,
  application: ApplicationHandle,
  request: Record<string, unknown>,
): Promise<string> {
  const id = randomUUID();
  const [, , , , , namespace = '', , name = ''] = application.path.split('/');
  const annotation = `tautline.dev/request=${JSON.stringify({ id, ...request })}`;
  const result = await world.plane.kubectl(['annotate', 'tla', name, '-n', namespace, '--overwrite', annotation]);
  assert.equal(result.code, 0, result.stderr);
  return id;
}

/** Asks, and resolves to the Application as it is when the request has been answered for good. */
export async function answerTo(
  world: World,
  application: ApplicationHandle,
  request: Record<string, unknown>,
): Promise<Json> {
  const id = await ask(world, application, request);
  return application.until(`an answer to ${JSON.stringify(request)}`, (found) => {
    const answer = at(found, 'status', 'lastRequest');
    return at(answer, 'id') === id && at(answer, 'outcome') !== 'InProgress';
  });
}

export const outcomeOf = (application: Json): unknown => at(application, 'status', 'lastRequest', 'outcome');
export const messageOf = (application: Json): string => String(at(application, 'status', 'lastRequest', 'message'));
export const syncOf = (application: Json): unknown => at(application, 'status', 'sync', 'status');

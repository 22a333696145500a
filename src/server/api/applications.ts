/** The operations that read Applications: the list, and one Application with its objects. */
import { inTurns } from '../../cluster/concurrency.ts';
import type { Hub } from '../../cluster/ports.ts';
import { refuse } from '../refuse.ts';
import { countRows, pageOf, type Page } from './list.ts';
import { readableApplication } from './readable-application.ts';
import { readableKinds, visibleNamespaces, type Readable } from './rights.ts';
import type { Handlers } from './router.ts';
import type { ApplicationIndex, Row, Rows, RowStore } from './rows.ts';
import { describe, hideValues, viewObject, type KnownApplication } from './views.ts';
import { entityTagOf, isUnchanged, sendJson, writeEach, writeJson } from './write-json.ts';

export interface ApplicationHandlerOptions {
  readonly applications: ApplicationIndex;
  readonly hub: Pick<Hub, 'kinds'>;
  readonly rows: RowStore;
  /** Different for each process: versions of rows begin at one in each. */
  readonly process: string;
}

export function createApplicationHandlers({
  applications,
  hub,
  rows,
  process,
}: ApplicationHandlerOptions): Pick<Handlers, 'listApplications' | 'getApplication'> {
  return {
    async listApplications({ caller, query, request, response }) {
      const known = await rows.read();
      const isAnonymous = caller.type === 'anonymous';
      if (isAnonymous && (query.search ?? query.labelSelector)) {
        return refuse(response, 403, 'a filter by labels or words needs a token of the cluster');
      }
      const asked = query.namespace ?? [...known.byNamespace.keys()];
      const visible = isAnonymous ? { namespaces: asked, unreviewed: 0 } : await visibleNamespaces(caller, asked);
      if (visible.namespaces.length === 0 && asked.length > 0) {
        return refuse(response, 403, 'you may not list these Applications');
      }
      const seen = rowsIn(known, visible.namespaces);
      const answer = pageOf(seen, query);
      if (!answer.ok) return refuse(response, 400, answer.problem, 'InvalidQuery');
      const counts = isAnonymous ? '' : `,"counts":${writeJson(countRows(seen))}`;
      const { page } = answer;
      const tail = `${tailOf(page, visible.unreviewed)}${counts}}`;
      const versions = page.rows.map(({ key, version }) => `${key} ${version}`);
      const tag = entityTagOf(process, isAnonymous ? 'names' : 'all', tail, ...versions);
      if (isUnchanged(request, response, tag)) return;
      sendJson(response, ['{"applications":[', ...joined(page.rows, isAnonymous ? 'nameText' : 'text'), tail]);
    },

    async getApplication(call) {
      const application = await readableApplication(call, applications);
      if (!application) return;
      const { caller, request, response } = call;
      const readable = await readableKinds(caller, application, hub);
      const text = (await inTurns(writeDetail(application, readable))).join('');
      if (!isUnchanged(request, response, entityTagOf(text))) sendJson(response, [text]);
    },
  };
}

function rowsIn({ all, byNamespace }: Rows, namespaces: readonly string[]): readonly Row[] {
  if (namespaces.length === byNamespace.size && namespaces.every((name) => byNamespace.has(name))) return all;
  return namespaces.flatMap((namespace) => byNamespace.get(namespace) ?? []);
}

function joined(rows: readonly Row[], field: 'text' | 'nameText'): string[] {
  return rows.map((row, index) => (index > 0 ? ',' : '') + row[field]);
}

function tailOf({ total, next }: Page, unreviewed: number): string {
  const token = next === undefined ? '' : `,"continue":"${next}"`;
  return `],"total":${total}${token}${unreviewed > 0 ? `,"unreviewedNamespaces":${unreviewed}` : ''}`;
}

function* writeDetail(known: KnownApplication, { may }: Readable): Generator<undefined, string[]> {
  const head = writeJson(describe(known)).slice(0, -1);
  const texts = yield* writeEach(known.view?.objects ?? [], (object) => {
    const view = viewObject(object);
    return writeJson(may(object.id) ? view : hideValues(view));
  });
  return [head, ',"objects":[', ...texts, ']}'];
}

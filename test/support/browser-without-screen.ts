/**
 * The part of a browser that a sign-in needs: cookies with SameSite, and navigation step by step. Every page that it
 * loads is that of a navigation; nothing is drawn and no script runs.
 */
import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Origin of the site that causes the request. Default: that of the address itself. */
  readonly from?: string;
}

interface Kept {
  readonly value: string;
  readonly sameSite: string;
}

export interface HeadlessBrowser {
  /** Sends one request, and keeps the cookies of the answer. Redirections are not followed. */
  send(url: string, sent?: Sent): Promise<Page>;
  /** The cookies of an origin, by name. */
  cookiesOf(origin: string): ReadonlyMap<string, Kept>;
  /**
   * Goes on from a page through redirections and the forms of the identity provider, until `isEnd` holds for the
   * address that comes next. Returns that address and the origin that leads there.
   */
  signIn(start: Page, login: string, isEnd: (url: string) => boolean): Promise<{ url: string; from: string }>;
}

/** `ca`: PEM of an authority that it trusts. */
export function createBrowser(ca: string): HeadlessBrowser {
  const jars = new Map<string, Map<string, Kept>>();
  const jarOf = (origin: string): Map<string, Kept> => {
    const jar = jars.get(origin) ?? new Map<string, Kept>();
    jars.set(origin, jar);
    return jar;
  };
  const send: HeadlessBrowser['send'] = (url, { method = 'GET', headers = {}, body, from } = {}) => {
    const { origin, protocol } = new URL(url);
    const isSameSite = from === undefined || from === origin;
    const cookies = [...jarOf(origin)].filter(([, { sameSite }]) => isSameSite || sameSite !== 'Strict');
    const cookie = cookies.map(([name, { value }]) => `${name}=${value}`).join('; ');
    const site = { 'sec-fetch-site': isSameSite ? 'same-origin' : 'cross-site', accept: 'text/html,*/*' };
    const all = { ...site, ...(cookie && { cookie }), ...headers };
    return new Promise((resolve, reject) => {
      const ask = protocol === 'https:' ? httpsRequest : httpRequest;
      const sent = ask(url, { method, headers: all, ca }, (answer) => {
        let text = '';
        for (const line of answer.headers['set-cookie'] ?? []) keep(jarOf(origin), line);
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => {
          resolve({ url, status: answer.statusCode ?? 0, headers: answer.headers, body: text });
        });
      });
      sent.on('error', reject).end(body);
    });
  };
  return {
    send,
    cookiesOf: jarOf,
    async signIn(start, login, isEnd) {
      let page = start;
      for (let step = 0; step < 20; step++) {
        const { location } = page.headers;
        const from = new URL(page.url).origin;
        if (location !== undefined) {
          const url = new URL(location, page.url).href;
          if (isEnd(url)) return { url, from };
          page = await send(url, { from });
        } else {
          page = await submit(page, login, send);
        }
      }
      assert.fail(`the sign-in did not end: ${page.status} ${page.url} ${page.body}`);
    },
  };
}

/** Sends the form of a page of the identity provider. */
function submit(page: Page, login: string, send: HeadlessBrowser['send']): Promise<Page> {
  const action = /<form[^>]* action="([^"]+)"/.exec(page.body)?.[1];
  const prompt = /name="prompt" value="(\w+)"/.exec(page.body)?.[1];
  assert.ok(action !== undefined && prompt !== undefined, `no form: ${page.status} ${page.url} ${page.body}`);
  const fields = { prompt, ...(prompt === 'login' && { login, password: 'any' }) };
  return send(new URL(action.replaceAll('&amp;', '&'), page.url).href, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
}

function keep(jar: Map<string, Kept>, line: string): void {
  const [pair = '', ...attributes] = line.split(/; */);
  const at = pair.indexOf('=');
  const name = pair.slice(0, at);
  const sameSite = /samesite=(\w+)/i.exec(attributes.join(';'))?.[1] ?? 'Lax';
  const isGone = /max-age=0\b|expires=thu, 01 jan 1970/i.test(attributes.join(';'));
  if (isGone) jar.delete(name);
  else jar.set(name, { value: pair.slice(at + 1), sameSite });
}

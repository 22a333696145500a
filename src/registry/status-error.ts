/** The errors of a registry or Helm repository that does not answer a request with 200, each with a code and advice. */
import { COMMON_ROWS, errorOfStatus, type Asked, type StatusRows } from './http-status.ts';
import { headerOf, readAll, type WebAnswer } from './web.ts';

const ROWS: StatusRows = {
  ...COMMON_ROWS,
  401: {
    code: 'AuthenticationRequired',
    text: 'asks for credentials, or does not exist. Check the address; if it is private, name a Secret in spec.source.secretRef',
    withLogin: {
      code: 'CredentialsRefused',
      text: 'did not accept the credentials of the Secret $secret, or does not exist. Check the address and the Secret',
    },
  },
  429: { code: 'RateLimited', text: 'limits the rate of requests. Raise spec.source.interval, or use credentials' },
};

/**
 * The error of an answer with a status other than 200. Reads its body, if it is short, for the code of the registry.
 */
export async function statusError(answer: WebAnswer, asked: Asked): Promise<Error> {
  const retryAfter = headerOf(answer, 'retry-after');
  const reason = await reasonOf(answer);
  return errorOfStatus(asked, { rows: ROWS, status: answer.status, retryAfter, reason });
}

const MAX_REASON_BYTES = 16_384;

/** `, MANIFEST_UNKNOWN`: no other text of an error page reaches a message. */
async function reasonOf(answer: WebAnswer): Promise<string> {
  const isShort = Number(headerOf(answer, 'content-length') ?? Infinity) <= MAX_REASON_BYTES;
  if (!isShort || !headerOf(answer, 'content-type')?.includes('json')) {
    answer.discard();
    return '';
  }
  try {
    const { errors } = JSON.parse((await readAll(answer)).toString('utf8')) as { errors?: { code?: unknown }[] };
    const code = errors?.[0]?.code;
    return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? `, ${code}` : '';
  } catch {
    return '';
  }
}

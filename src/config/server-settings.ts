/** Settings of the listeners: probes, metrics, status API, webhooks. */
import { address, bool, count, text, type Setting } from './setting.ts';

export const SERVER_SETTINGS = {
  probesAddress: address('probes-address', '127.0.0.1:8081', 'address of /healthz and /readyz'),
  metricsAddress: address('metrics-address', '127.0.0.1:8083', 'address of /metrics'),
  apiAddress: address('api-address', '127.0.0.1:8080', 'address of the status API'),
  apiHosts: {
    flag: 'api-hosts',
    type: 'names',
    default: '',
    description:
      'names by which the status API is called, separated by commas, beside addresses and names in a cluster',
  },
  anonymousRead: {
    flag: 'anonymous-read',
    type: 'anonymous',
    default: 'nothing',
    description: 'what the status API shows without a token: nothing, or the names and states of all Applications',
  },
  publicUrl: {
    flag: 'public-url',
    type: 'origin',
    default: '',
    description:
      'address by which browsers reach the status API, such as https://tautline.example.com; needed for OIDC',
  },
  sessionKeyFile: text(
    'session-key-file',
    '',
    'file with at least 32 random bytes that seal sessions; empty: a restart of the agent ends all sessions',
  ),
  oidcIssuer: {
    flag: 'oidc-issuer',
    type: 'issuer',
    default: '',
    description:
      'address of the OpenID Connect provider at which people sign in, which the API server must trust; empty: none',
  },
  oidcClientId: text('oidc-client-id', '', 'id of Tautline at this provider, the audience that the API server expects'),
  oidcClientSecretFile: text('oidc-client-secret-file', '', 'file with the secret of this client; empty: it has none'),
  oidcScopes: text('oidc-scopes', 'openid profile email', 'scopes to ask for, separated by spaces; openid among them'),
  oidcName: text('oidc-name', 'single sign-on', 'name of the provider on the page'),
  metricsNeedToken: bool(
    'metrics-need-token',
    'false',
    'whether /metrics needs the token of an account that may get this path',
  ),
  webhookAddress: address('webhook-address', '127.0.0.1:8082', 'address of the webhook listener'),
  webhookSecretsDir: text(
    'webhook-secrets-dir',
    '',
    'folder with the webhook secrets, one file for each provider; empty: every webhook is refused',
  ),
  webhookTrustedProxies: {
    flag: 'webhook-trusted-proxies',
    type: 'networks',
    default: '',
    description: 'networks of proxies whose X-Forwarded-For names the sender of a webhook, separated by commas',
  },
  webhooksPerMinute: count(
    'webhook-rate',
    '120',
    'most webhooks a minute from one address that are not genuine',
    [1, 100_000],
  ),
  totalWebhooksPerMinute: count(
    'webhook-total-rate',
    '1200',
    'most webhooks a minute from all addresses together that are not genuine',
    [1, 1_000_000],
  ),
} as const satisfies Record<string, Setting>;

/** Certificates and secrets: cert-manager, External Secrets, Vault, Sealed Secrets. */
import { at, degraded, has, healthy, kindsOf, on, progressing, settled, byWord } from '../rules.ts';

const ACME_STATES = { Healthy: ['valid'], Degraded: ['invalid', 'expired', 'errored'] };

export const SECRETS = [
  ...kindsOf('cert-manager.io', {
    Certificate: [progressing(on('Issuing', 'True')), ...settled('Ready')],
    'Issuer ClusterIssuer': settled('Ready'),
    CertificateRequest: [
      degraded(on('Denied', 'True')),
      degraded(on('InvalidRequest', 'True')),
      ...settled('Ready', 'Pending'),
    ],
  }),
  ...kindsOf('acme.cert-manager.io', {
    'Order Challenge': byWord('status.state', ACME_STATES),
  }),
  ...kindsOf('trust.cert-manager.io', { 'Bundle ClusterBundle': settled('Synced') }),
  ...kindsOf('policy.cert-manager.io', { CertificateRequestPolicy: settled('Ready') }),
  ...kindsOf('external-secrets.io', {
    'ExternalSecret ClusterExternalSecret PushSecret ClusterPushSecret SecretStore ClusterSecretStore':
      settled('Ready'),
  }),
  ...kindsOf('bitnami.com', { SealedSecret: settled('Synced') }),
  ...kindsOf('secrets.hashicorp.com', {
    'VaultStaticSecret VaultDynamicSecret VaultPKISecret HCPVaultSecretsApp': [
      ...settled('Ready'),
      degraded(on('SecretSynced', 'False')),
      healthy(on('SecretSynced', 'True')),
      healthy(has('status.secretMAC')),
      healthy(has('status.lastGeneration')),
    ],
    'VaultAuth VaultConnection VaultAuthGlobal HCPAuth': [
      degraded(at('status.valid', false)),
      healthy(at('status.valid', true)),
      ...settled('Ready'),
    ],
  }),
  ...kindsOf('isindir.github.com', {
    SopsSecret: [healthy(at('status.message', 'Healthy')), degraded(has('status.message'))],
  }),
  ...kindsOf('onepassword.com', { OnePasswordItem: settled('Ready') }),
];

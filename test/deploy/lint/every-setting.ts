import type { ConnectionDeclaration, TrustDeclaration } from '../../../functions/configuration/declaration.ts';

const proxy = { methods: ['GET', 'POST'], paths: ['/tickets'] } as const;

/** Connections of each kind that makes a resource of its own, for templates that nobody deploys. */
export const everyKind = {
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: 'https://helpdesk.internal/api', proxy },
    wfm: { provider: 'community-web-api', baseUrl: 'https://wfm.internal/api', keepAlivePath: '/keep' },
    books: { provider: 'oauth-refresh-token', baseUrl: 'https://books.internal', proxy },
    shared: { provider: 'helpmaster', baseUrl: 'https://one.internal', isolation: 'others' },
    sharing: { provider: 'helpmaster', baseUrl: 'https://two.internal', isolation: 'others', secret: 'of-another' },
  },
  strictAudit: true,
  trust: [
    {
      issuer: 'https://issuer.internal',
      audience: 'token-broker',
      subject: 'workload',
      once: true,
      connections: ['wfm'],
    },
  ],
} satisfies {
  readonly connections: Readonly<Record<string, ConnectionDeclaration>>;
  readonly strictAudit: boolean;
  readonly trust: readonly TrustDeclaration[];
};

import { defineConnections } from '../functions/configuration/declaration.ts';

/** Creates the connections of the demo: one for each demo upstream, each with a proxy. They trust the demo issuer. */
export function demoConnections(urls: Readonly<Record<'helpmaster' | 'community' | 'oauth' | 'issuer', string>>) {
  const proxy = { methods: ['GET', 'POST'], paths: ['/'] } as const;
  return defineConnections({
    connections: {
      helpdesk: { provider: 'helpmaster', baseUrl: urls.helpmaster, proxy },
      wfm: { provider: 'community-web-api', baseUrl: urls.community, keepAlivePath: '/SingleRecurringEvent', proxy },
      orders: { provider: 'oauth-client-credentials-basic', baseUrl: urls.oauth, scope: ['orders.read'], proxy },
    },
    trust: [
      {
        issuer: urls.issuer,
        audience: 'token-broker',
        subject: 'demo-workload',
        connections: ['helpdesk', 'wfm', 'orders'],
        subjects: ['system', '88'],
      },
    ],
  });
}

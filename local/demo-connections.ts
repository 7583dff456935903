import { defineConnections } from '../functions/configuration/declaration.ts';

/** Creates the connections of the demo: one for each demo upstream, both with a proxy. */
export function demoConnections(urls: { readonly helpmaster: string; readonly community: string }) {
  return defineConnections({
    connections: {
      helpdesk: {
        provider: 'helpmaster',
        baseUrl: urls.helpmaster,
        proxy: { methods: ['GET', 'POST'], paths: ['/'] },
      },
      wfm: {
        provider: 'community-web-api',
        baseUrl: urls.community,
        keepAlivePath: '/SingleRecurringEvent',
        proxy: { methods: ['GET', 'POST'], paths: ['/'] },
      },
    },
  });
}

import { defineConnections } from '../functions/configuration/declaration.ts';

/**
 * The connections that the stack deploys. An example: put your own upstreams here, and their credentials into the
 * secrets that the stack makes, never into this file.
 */
export default defineConnections({
  connections: {
    helpdesk: {
      provider: 'helpmaster',
      baseUrl: 'https://helpmaster.example.com/api',
      proxy: { methods: ['GET', 'HEAD'], paths: ['/'] },
    },
    wfm: {
      provider: 'community-web-api',
      baseUrl: 'https://wfm.example.com/CommunityWebApi/api',
      keepAlivePath: '/SingleRecurringEvent',
      proxy: { methods: ['GET', 'HEAD'], paths: ['/'] },
    },
  },
});

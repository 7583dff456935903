// @ts-check
import { defineConnections } from '@token-broker/broker/connections';

/**
 * Your upstreams. No credential goes in here: each has a secret of its own, in Secrets Manager once it is deployed, and
 * for `token-broker dev` in secrets.json.
 */
export default defineConnections({
  connections: {
    helpdesk: {
      provider: 'helpmaster',
      // An example: until you put your own, `token-broker dev` has a demo upstream stand in for it.
      baseUrl: 'https://helpmaster.example.com/api',
      proxy: { methods: ['GET', 'HEAD'], paths: ['/'] },
    },
  },
});

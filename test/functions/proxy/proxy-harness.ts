import { demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import { startSystemUnderTest } from '../../system/system-under-test.ts';
import { startScriptedUpstream } from './scripted-upstream.ts';

/** The broker with every kind of upstream behind its proxy. */
export type ProxyHarness = Awaited<ReturnType<typeof startProxyHarness>>;

/** A provider whose API calls carry a part of the credential beside the token. */
const keyed = {
  secretFields: { apiKey: {} },
  logins: {
    system: [{ url: '/user/token', json: { apiKey: '{apiKey}' }, reads: { token: { in: 'body', path: ['token'] } } }],
  },
  placement: { headers: { Authorization: 'Bearer {token}', 'X-Api-Key': '{apiKey}' } },
  lifetime: [{ jwt: 'token' }],
  defaults: { maxTokenAgeSeconds: 3_600 },
};

/**
 * Starts the whole system in this process with connections `helpdesk`, `wfm` (slides adopted at once), `calm` (the same
 * upstream, refreshed late), `alone` (tokensOverlap false), `scripted`, `keyed` (the same upstream) and `unproxied`.
 */
export async function startProxyHarness() {
  const [helpmaster, community, exclusive, scripted] = await Promise.all([
    startDemoHelpmaster(),
    startDemoCommunity(),
    startDemoCommunity({ knobs: { tokensOverlap: false } }),
    startScriptedUpstream(),
  ]);
  const proxy = { methods: ['GET', 'HEAD', 'POST'], paths: ['/'], headers: ['x-declared'] };
  const common = { renewalCooldownSeconds: 0, proxy };
  const connections = {
    helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl, ...common },
    wfm: { provider: 'community-web-api', baseUrl: community.baseUrl, refreshAfter: 0.000001, ...common },
    calm: { provider: 'community-web-api', baseUrl: community.baseUrl, ...common },
    alone: { provider: 'community-web-api', baseUrl: exclusive.baseUrl, tokensOverlap: false, ...common },
    scripted: {
      provider: 'helpmaster',
      baseUrl: `${scripted.url}/base`,
      ...common,
      proxy: {
        ...proxy,
        paths: ['/open', '/binary', '/@me', '/odata/Jobs(1)', '/a:b,c;d&e=f+g$h', '/öffen'],
        timeoutSeconds: 1,
      },
    },
    keyed: { provider: 'keyed', baseUrl: `${scripted.url}/base`, ...common },
    unproxied: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl },
  };
  const secrets = {
    helpdesk: demoHelpmasterSecret,
    wfm: demoCommunitySecret,
    calm: demoCommunitySecret,
    alone: demoCommunitySecret,
    scripted: demoHelpmasterSecret,
    keyed: { apiKey: 'a-part-of-the-credential' },
    unproxied: demoHelpmasterSecret,
  };
  const system = await startSystemUnderTest({ providers: { keyed }, connections, secrets });
  return {
    url: system.url,
    helpmaster,
    community,
    /** The community upstream that ends the old token when it issues a new one. */
    exclusive,
    scripted,
    /** Everything logged so far. */
    logged: system.log,
    async close() {
      await system.close();
      await Promise.all([helpmaster, community, exclusive, scripted].map((upstream) => upstream.close()));
    },
  };
}

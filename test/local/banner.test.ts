import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../../functions/configuration/check.ts';
import type { ConnectionsDeclaration } from '../../functions/configuration/declaration.ts';
import { bannerOf } from '../../local/banner.ts';
import { demoConnections } from '../../local/demo-connections.ts';

const url = 'http://127.0.0.1:8787';
const demo = {
  helpmaster: { url: 'http://127.0.0.1:8788', baseUrl: 'http://127.0.0.1:8788/api' },
  community: { url: 'http://127.0.0.1:8789', baseUrl: 'http://127.0.0.1:8789/CommunityWebApi/api' },
  oauth: { url: 'http://127.0.0.1:8790', baseUrl: 'http://127.0.0.1:8790' },
  issuer: { url: 'http://127.0.0.1:8792' },
};
const urls = {
  helpmaster: demo.helpmaster.baseUrl,
  community: demo.community.baseUrl,
  oauth: demo.oauth.baseUrl,
  issuer: demo.issuer.url,
};

function bannerFor(declared: ConnectionsDeclaration): string {
  const configuration = resolveConnections(declared);
  return bannerOf({ url, configuration, demo }, false);
}

describe('the banner of npm start', () => {
  it('has the requests of the demo if the connections are on the demo upstreams', () => {
    const banner = bannerFor(demoConnections(urls));
    for (const line of [
      ...['/proxy/wfm/system/AgentLogonReport', '/proxy/helpdesk/88/', '/proxy/orders/system/orders'],
      ...['/__demo/knobs', '/tokens/wfm/', '/tokens/orders/'],
    ]) {
      expect(banner).toContain(line);
    }
  });

  it('has no request of the demo for own connections with the same names', () => {
    const banner = bannerFor({
      connections: {
        helpdesk: { provider: 'helpmaster', baseUrl: 'https://helpmaster.example.com/api' },
        wfm: { provider: 'community-web-api', baseUrl: urls.community },
      },
    });
    expect(banner).toContain('/tokens/helpdesk/system');
    for (const line of ['/proxy/', '/__demo/', 'jobs/MyOpenJobs', 'TOKEN=']) expect(banner).not.toContain(line);
  });

  it('has a call through the proxy only for a connection that declares one', () => {
    const helpdesk = { provider: 'helpmaster', baseUrl: urls.helpmaster } as const;
    const wfm = { provider: 'community-web-api', baseUrl: urls.community } as const;
    const proxy = { methods: ['GET'], paths: ['/'] };
    const orders = { provider: 'oauth-client-credentials-basic', baseUrl: urls.oauth } as const;
    const banner = bannerFor({ connections: { helpdesk, orders, wfm: { ...wfm, proxy } } });
    expect(banner).toContain('/proxy/wfm/');
    for (const name of ['helpdesk', 'orders']) expect(banner).not.toContain(`/proxy/${name}/`);
    expect(bannerFor({ connections: { helpdesk, orders, wfm } })).not.toContain('never hold one');
  });
});

import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startProxyHarness } from '../functions/proxy/proxy-harness.ts';
import { send } from '../local/demo/demo-client.ts';

// The attacker may call the proxy, with POST under `/`, and wants to guess the account's password, or to lock it.
const broker = await startProxyHarness();
afterAll(() => broker.close());
beforeEach(() => {
  broker.community.clearLedger();
  broker.helpmaster.clearLedger();
});

const guess = (path: string) =>
  send(broker.url, {
    method: 'POST',
    path: `/proxy/${path}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'l=svc.api%7Cguess',
  });

/** Ways of writing one path that some server reads as that path. */
const SPELLINGS = [
  'AuthenticateEx',
  'authenticateex',
  'AUTHENTICATEEX/',
  '/AuthenticateEx',
  './AuthenticateEx',
  '..../AuthenticateEx',
  ';x=1/AuthenticateEx',
  '..%20./AuthenticateEx',
  '(S(x))/AuthenticateEx',
  '%28A(x;y)F(z)%29/AuthenticateEx',
  'index.php/AuthenticateEx',
  'AuthenticateEx.',
  'AuthenticateEx.json',
  'AuthenticateEx%20',
  'AuthenticateEx;a=b',
  'AuthenticateEx()',
  'AuthenticateEx::$DATA',
  'AuthenticateEx/1',
  'A%75thenticateEx',
  'Authenticate%E2%80%8BEx',
  'AuthenticateEx%E3%85%A4',
  '%E1%85%9FAuthenticateEx',
  'Authenticate%EF%BE%A0Ex',
  'Authentic%C3%A4teEx',
  '%EF%BC%A1uthenticateEx',
];

describe('a login through the proxy', () => {
  it.each(SPELLINGS)('is not forwarded, written %s', async (path) => {
    for (const connection of ['wfm', 'alone']) {
      const { json } = await guess(`${connection}/system/${path}`);
      expect(['proxy_not_allowed', 'invalid_request', 'not_found']).toContain(json?.['code']);
    }
    expect(broker.community.ledger().logins).toEqual([]);
  });

  it('is not forwarded as a query of a GET either', async () => {
    const { json } = await send(broker.url, { path: '/proxy/wfm/system/AuthenticateEx?l=svc.api%7Cguess' });
    expect(json).toMatchObject({ code: 'proxy_not_allowed', detail: expect.stringContaining('logs in and out') });
    expect(broker.community.ledger().logins).toEqual([]);
  });

  it.each(['user/getsystemtoken', 'User/GetToken', 'user//gettoken'])(
    'of HelpMaster is not forwarded: %s',
    async (path) => {
      const { status } = await guess(`helpdesk/system/${path}`);
      expect(status).toBe(403);
      expect(broker.helpmaster.ledger().logins).toEqual([]);
    },
  );

  it('leaves paths that only begin alike', async () => {
    const { status } = await guess('wfm/system/AuthenticateExtra');
    expect(status).toBe(200);
  });
});

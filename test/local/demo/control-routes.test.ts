import { describe, expect, it, onTestFinished } from 'vitest';
import { startDemoIssuer } from '../../../local/demo/issuer.ts';
import { everyUpstream, send } from './demo-client.ts';

const foreign: readonly [string, Record<string, string>][] = [
  ['a name that resolves here', { host: 'evil.example:80' }],
  ['a page of another origin', { origin: 'https://evil.example' }],
  ['a page of no origin', { origin: 'null' }],
];

describe.each(everyUpstream)('the controls of the demo %s', (_name, start) => {
  it.each(foreign)('are refused to %s, and nothing is done', async (_what, headers) => {
    const upstream = await start();
    onTestFinished(upstream.close);
    const before = upstream.knobs();
    const knobs = `${upstream.url}/__demo/knobs`;
    const body = '{"loginStatus":503}';
    expect((await send(knobs, { method: 'PUT', body, headers })).status).toBe(403);
    expect((await send(knobs, { headers })).text).not.toContain('credential');
    expect((await send(`${upstream.url}/__demo/ledger`, { method: 'DELETE', headers })).status).toBe(403);
    expect(upstream.knobs()).toEqual(before);
    expect((await send(knobs, { method: 'PUT', body })).status).toBe(200);
  });
});

describe('the demo issuer', () => {
  it.each(foreign)('gives no token to %s, and its keys to anyone', async (_what, headers) => {
    const issuer = await startDemoIssuer();
    onTestFinished(issuer.close);
    const token = await send(`${issuer.url}/__demo/token`, { headers });
    expect([token.status, token.text.includes('eyJ')]).toEqual([403, false]);
    expect((await send(issuer.jwksUri, { headers })).status).toBe(200);
    expect((await send(`${issuer.url}/__demo/token`)).text).toMatch(/^eyJ/);
  });
});

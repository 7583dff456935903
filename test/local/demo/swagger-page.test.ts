import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DemoUpstream } from '../../../local/demo/demo-upstream.ts';
import { type HelpmasterKnobs, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import { send } from './demo-client.ts';

let upstream: DemoUpstream<HelpmasterKnobs>;
beforeEach(async () => {
  upstream = await startDemoHelpmaster();
});
afterEach(() => upstream.close());

describe('the Swagger UI of the demo HelpMaster', () => {
  it.each([
    ['/', '/swagger'],
    ['/swagger', '/swagger/index.html'],
  ])('leads from %s to %s', async (from, to) => {
    const received = await send(upstream.url + from);
    expect([received.status, received.headers.location]).toEqual([302, to]);
  });

  it('serves every file that its page names, from itself alone', async () => {
    const index = await send(`${upstream.url}/swagger/index.html`);
    const names = [...index.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      expect(name).toMatch(/^\.\//);
      expect((await send(new URL(name, `${upstream.url}/swagger/index.html`).href)).status).toBe(200);
    }
    expect(index.headers['content-security-policy']).toContain("default-src 'self'");
  });

  it.each(['/swagger/../package.json', '/swagger/package.json', '/swagger/%2e%2e/x', '/swagger/constructor'])(
    'answers 404 to %s',
    async (path) => {
      expect((await send(upstream.url, { path })).status).toBe(404);
    },
  );

  it('describes only paths that the demo serves, gated ones behind a bearer token (H6)', async () => {
    const document = (await send(`${upstream.url}/swagger/v1/swagger.json`)).json;
    const paths = Object.entries(Object(document?.['paths'])).flatMap(([path, methods]) =>
      Object.entries(Object(methods)).map(([method, operation]) => ({ path, method, operation: Object(operation) })),
    );
    expect(paths.length).toBeGreaterThan(4);
    for (const { path, method, operation } of paths) {
      const gated = operation['security'] !== undefined;
      expect((await send(upstream.url + path, { method: method.toUpperCase() })).status).toBe(gated ? 401 : 415);
    }
  });

  it('has examples of every body and answer, whose requests for a token are taken as they stand', async () => {
    const document = (await send(`${upstream.url}/swagger/v1/swagger.json`)).json;
    const bodies: unknown[] = [];
    JSON.parse(JSON.stringify(document), (key, value) => {
      if (key === 'application/json') bodies.push(value);
      return value;
    });
    expect(bodies.length).toBeGreaterThan(5);
    for (const body of bodies) expect(body).toHaveProperty('example');
    for (const path of ['/User/GetToken/', '/User/GetSystemToken/']) {
      const { example } = Object(document?.['paths'])[path].post.requestBody.content['application/json'];
      const headers = { 'content-type': 'application/json' };
      const { status } = await send(upstream.url + path, { method: 'POST', headers, body: JSON.stringify(example) });
      expect([path, status]).toEqual([path, 200]);
    }
  });

  it('is never struck by a fault, and never in the ledger', async () => {
    upstream.setKnobs({ hang: true, reset: 'before', callStatus: 500, redirectTo: '/x' });
    expect((await send(`${upstream.url}/swagger/index.html`)).status).toBe(200);
    expect(upstream.ledger().calls).toEqual([]);
  });
});

import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { startProxyHarness } from '../functions/proxy/proxy-harness.ts';
import { launchChromium } from './chromium.ts';

// A developer runs the broker and opens a page of somebody else's. The page wants a token, a call to the upstream in the
// developer's name, or a click on one of the broker's buttons. What an upstream answers may be the attacker's text too.
const broker = await startProxyHarness();
const browser = await launchChromium();
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html');
  response.end(evil.html);
});
// Another name of this machine is another site.
const evil = { url: (await listenOnLoopback(server, 0)).replace('127.0.0.1', 'localhost'), html: '' };
let page: Page;
afterAll(async () => {
  await browser.close();
  server.close();
  await broker.close();
});
beforeEach(async () => {
  broker.helpmaster.clearLedger();
  broker.scripted.received.length = 0;
  page = await (await browser.newContext()).newPage();
});

async function visit(html: string): Promise<void> {
  evil.html = html;
  await page.goto(evil.url);
  await page.waitForLoadState('networkidle');
}

describe('a page of another site', () => {
  it('cannot have images log in at the upstream, or call it', async () => {
    const images = Array.from({ length: 30 }, (_, at) => `<img src="${broker.url}/tokens/helpdesk/${at + 1}">`).join(
      '',
    );
    await visit(`${images}<img src="${broker.url}/proxy/scripted/system/open/delete-all">`);
    expect(broker.helpmaster.ledger().logins).toEqual([]);
    expect(broker.scripted.received).toEqual([]);
  });

  it('cannot have a form or a script do it either', async () => {
    const form = `<form id="f" method="post" target="t" action="${broker.url}/proxy/scripted/system/open/x" enctype="text/plain"><input name="a" value="b"></form><iframe name="t"></iframe><script>f.submit()</script>`;
    await visit(form);
    const asked = `Promise.allSettled(['no-cors', 'cors'].map((mode) => fetch('${broker.url}/tokens/helpdesk/88', { mode })))`;
    await page.evaluate(asked);
    expect(broker.helpmaster.ledger().logins).toEqual([]);
    expect(broker.scripted.received).toEqual([]);
  });

  it.each(['POST', 'DELETE', 'PUT'])(
    'cannot %s by a script, a beacon or a form, with or without CORS',
    async (method) => {
      await visit('<title>evil</title>');
      const target = `${broker.url}/proxy/scripted/system/open/x`;
      await page.evaluate(`Promise.allSettled([
      ...['no-cors', 'cors'].map((mode) => fetch('${target}', { method: '${method}', mode, body: 'a' })),
      ...['no-cors', 'cors'].map((mode) => fetch('${broker.url}/tokens/helpdesk/88', { method: '${method}', mode })),
      fetch('${broker.url}/local/purge', { method: '${method}', mode: 'cors', body: '{}' }),
      navigator.sendBeacon('${target}', 'a'),
    ])`);
      expect(broker.helpmaster.ledger().logins).toEqual([]);
      expect(broker.scripted.received).toEqual([]);
    },
  );

  it('cannot have its user follow a link, a redirect, or a window of its own there', async () => {
    await visit(`<a href="${broker.url}/proxy/scripted/system/open/x">win</a>`);
    await page.getByText('win').click();
    await page.waitForLoadState('networkidle');
    await page.goto(evil.url);
    await page.evaluate(`window.open('${broker.url}/tokens/helpdesk/88')`);
    await page.waitForTimeout(300);
    await visit(`<meta http-equiv="refresh" content="0;url=${broker.url}/proxy/scripted/system/open/x">`);
    await page.waitForTimeout(300);
    expect(broker.helpmaster.ledger().logins).toEqual([]);
    expect(broker.scripted.received).toEqual([]);
  });

  it('cannot load what the broker answers as its own script, style or font', async () => {
    const loaded = ['/docs', '/openapi.json', '/local/page.js', '/local/theme.css'].map(
      (path) =>
        `<script src="${broker.url}${path}" onload="document.title='ran'"></script><link rel="stylesheet" href="${broker.url}${path}" onload="document.title='ran'">`,
    );
    await visit(`<title>evil</title>${loaded.join('')}`);
    expect(await page.title()).toBe('evil');
  });

  it.each(['/', '/docs', '/openapi.json', '/tokens/helpdesk/88'])(
    'cannot frame %s, to have it clicked',
    async (path) => {
      await visit(`<iframe src="${broker.url}${path}"></iframe>`);
      const framed = page.frames()[1];
      // A frame that is refused shows an error of the browser's own, or the gateway's.
      expect((await framed?.content()) ?? '').not.toMatch(/swagger-ui|<main|openapi|access_token/);
    },
  );
});

describe('HTML of the upstream, opened at the broker', () => {
  const open = async (html: string): Promise<void> => {
    broker.scripted.answer((_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'service-worker-allowed': '/' });
      response.end(html);
    });
    await page.goto(`${broker.url}/proxy/scripted/system/open/report`);
    await page.waitForLoadState('networkidle');
  };

  it('runs no script, and sends no form', async () => {
    await open(
      `<title>quiet</title><script>document.title='ran'; fetch('/tokens/helpdesk/88')</script><img src=x onerror="document.title='ran'"><form id="f" method="post" action="/proxy/scripted/system/open/x"><button>go</button></form>`,
    );
    expect(await page.title()).toBe('quiet');
    broker.scripted.received.length = 0;
    await page.getByRole('button').click();
    await page.waitForTimeout(300);
    expect(broker.scripted.received.filter(({ method }) => method === 'POST')).toEqual([]);
    expect(broker.helpmaster.ledger().logins).toEqual([]);
  });

  it('has the browser ask for nothing of the broker’s, by what it embeds, preloads or prefetches', async () => {
    const slot = '/tokens/helpdesk/88';
    const links = ['preload; as=image', 'prefetch', 'modulepreload', 'stylesheet'].map(
      (rel) => `<${slot}>; rel=${rel}`,
    );
    broker.scripted.answer((_request, _body, response) => {
      const link = links.join(', ');
      response.writeHead(200, { 'content-type': 'text/html', link, 'speculation-rules': '"/tokens/helpdesk/89"' });
      response.end(
        `<title>quiet</title><img src="${slot}"><link rel="prefetch" href="${slot}"><link rel="stylesheet" href="${slot}"><iframe src="${slot}"></iframe><object data="${slot}"></object><video src="${slot}"></video><script type="speculationrules">{"prerender":[{"urls":["${slot}"]}]}</script><meta http-equiv="refresh" content="1;url=${slot}">`,
      );
    });
    await page.goto(`${broker.url}/proxy/scripted/system/open/report`);
    await page.waitForTimeout(2_000);
    expect(broker.helpmaster.ledger().logins).toEqual([]);
  });

  it('becomes no service worker of the broker’s pages', async () => {
    broker.scripted.answer((_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'text/javascript', 'service-worker-allowed': '/' });
      response.end('self.addEventListener("fetch", () => undefined)');
    });
    await page.goto(`${broker.url}/docs`);
    const worker = '/proxy/scripted/system/open/worker.js';
    const registered = await page.evaluate(
      `navigator.serviceWorker.register('${worker}', { scope: '/' }).then(() => 'registered', String)`,
    );
    expect(registered).not.toBe('registered');
    expect(broker.scripted.received).toEqual([]);
  });
});

it('a name of its own that leads to this machine gets a page nothing (DNS rebinding)', async () => {
  const port = new URL(broker.url).port;
  const rebound = await launchChromium('--host-resolver-rules=MAP evil.example 127.0.0.1');
  const page = await (await rebound.newContext()).newPage();
  for (const path of ['/', '/docs', '/tokens/helpdesk/88', '/local/state', '/proxy/scripted/system/open/x']) {
    const answer = await page.goto(`http://evil.example:${port}${path}`);
    expect(answer?.status()).toBe(403);
    // Of one origin with itself, and still another site's.
    const asked = `fetch('${path}', { method: 'POST', body: '{}' }).then((a) => a.status, () => 'blocked')`;
    expect([403, 'blocked']).toContain(await page.evaluate(asked));
  }
  expect(broker.helpmaster.ledger().logins).toEqual([]);
  expect(broker.scripted.received).toEqual([]);
  await rebound.close();
});

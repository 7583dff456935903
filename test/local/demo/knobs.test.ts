import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import { type AnyUpstream, everyUpstream, send, sendJson } from './demo-client.ts';

describe.each(everyUpstream)('the knobs of the demo %s', (_name, start) => {
  let upstream: AnyUpstream;
  beforeEach(async () => {
    upstream = await start();
  });
  afterEach(() => upstream.close());

  it('merges what is PUT in, and answers all knobs', async () => {
    const before = upstream.knobs();
    const received = await sendJson(`${upstream.url}/__demo/knobs`, { loginStatus: 503, delayMs: 1 }, 'PUT');

    expect(received.status).toBe(200);
    expect(received.json).toEqual({ ...before, loginStatus: 503, delayMs: 1 });
    expect((await send(`${upstream.url}/__demo/knobs`)).json).toEqual(received.json);
    expect(upstream.knobs()).toEqual(received.json);
  });

  it('answers 400 to an unknown name, naming it and the known ones, and changes nothing', async () => {
    const before = upstream.knobs();
    const received = await sendJson(`${upstream.url}/__demo/knobs`, { delayMs: 5, delayMS: 5 }, 'PUT');

    expect(received.status).toBe(400);
    expect(received.json?.['error']).toContain('"delayMS"');
    for (const name of Object.keys(before)) expect(received.json?.['error']).toContain(name);
    expect(upstream.knobs()).toEqual(before);
  });

  it.each([
    ['a string for a number', { delayMs: '5' }, 'delayMs'],
    ['a status that is none', { loginStatus: 99 }, 'loginStatus'],
    ['a word that is not listed', { reset: 'sometimes' }, 'reset'],
    ['a credential of another shape', { credential: { password: 'x' } }, 'credential'],
    ['a line break in a header', { retryAfter: '1\r\nX: 1' }, 'retryAfter'],
  ])('answers 400 to %s, naming the knob', async (_what, change, knob) => {
    const before = upstream.knobs();
    const received = await sendJson(`${upstream.url}/__demo/knobs`, change, 'PUT');

    expect(received.status).toBe(400);
    expect(received.json?.['error']).toContain(`knob ${knob}`);
    expect(upstream.knobs()).toEqual(before);
  });

  it.each(['', 'nonsense', '[]', 'null', '{"__proto__":{}}'])('answers 400 to the body %j', async (body) => {
    const received = await send(`${upstream.url}/__demo/knobs`, { method: 'PUT', body });
    expect(received.status).toBe(400);
  });

  it('throws from setKnobs on an unknown name and on a wrong type', () => {
    const careless: Record<string, unknown> = { nonsense: true };
    expect(() => upstream.setKnobs(careless)).toThrow(/unknown knob "nonsense"/);
    const mistyped: Record<string, unknown> = { hang: 'yes' };
    expect(() => upstream.setKnobs(mistyped)).toThrow(/knob hang/);
  });

  it('hands out copies, so that only setKnobs changes a knob', () => {
    const copy = upstream.knobs();
    copy.delayMs = 60_000;
    expect(upstream.knobs().delayMs).toBe(0);
  });

  it('can be reached and changed under every fault', async () => {
    upstream.setKnobs({
      reset: 'before',
      hang: true,
      loginStatus: 500,
      callStatus: 500,
      delayMs: 60_000,
      slowDrip: true,
    });
    const received = await sendJson(`${upstream.url}/__demo/knobs`, { reset: 'none', hang: false }, 'PUT');
    expect(received.status).toBe(200);
    expect((await send(`${upstream.url}/__demo/ledger`)).json).toEqual({ logins: [], slides: [], calls: [] });
  });

  it('answers 405 with Allow to other methods', async () => {
    const received = await send(`${upstream.url}/__demo/knobs`, { method: 'POST' });
    expect(received.status).toBe(405);
    expect(received.headers.allow).toBe('GET, PUT');
  });
});

describe('starting a demo upstream', () => {
  it('takes knobs to start with', async () => {
    const upstream = await startDemoHelpmaster({ knobs: { suspended: true } });
    expect(upstream.knobs().suspended).toBe(true);
    await upstream.close();
  });

  it('binds to the port that was asked for, and says so when it is taken', async () => {
    const first = await startDemoHelpmaster();
    const port = Number(new URL(first.url).port);
    await expect(startDemoHelpmaster({ port })).rejects.toThrow(/EADDRINUSE/);
    await first.close();
    const second = await startDemoHelpmaster({ port });
    expect(second.url).toBe(first.url);
    await second.close();
  });
});

import { describe, expect, it } from 'vitest';
import type { ForwardedRequest } from '../../../../functions/core/proxy/forwarder.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { createForwarder } from '../../../../functions/providers/engine/forward.ts';
import { type Answer, answering, connectionOf } from '../provider-harness.ts';

const NOW = 1_800_000_000_000;
const timeoutMs = 1_000;
const get: ForwardedRequest = { method: 'GET', path: '/jobs', query: '', headers: {} };

async function forwarding(answer: Parameters<typeof answering>[0], request = get, connection = community()) {
  const { http, sent } = answering(answer);
  const forwarder = createForwarder({ http, clock: { now: () => NOW } });
  const outcome = await forwarder.forward({ connection, token: new Secret('used'), request, timeoutMs });
  return { outcome, request: sent[0] };
}

async function answerTo(answer: Answer) {
  const { outcome } = await forwarding(answer);
  if (outcome.kind !== 'answer') throw new Error(`expected an answer, got ${outcome.code}`);
  return outcome;
}

function community(change: Parameters<typeof connectionOf>[2] = {}) {
  return connectionOf('community-web-api', 'https://wfm.example/api//', change);
}

describe('a forwarded request', () => {
  it('goes behind the base URL, with its query as the caller wrote it', async () => {
    const plain = await forwarding({});
    expect(plain.request?.url).toBe('https://wfm.example/api/jobs');
    const asked = await forwarding({}, { ...get, query: 'a=%2f&b' });
    expect(asked.request?.url).toBe('https://wfm.example/api/jobs?a=%2f&b');
  });

  it('has a body only where the caller sent one', async () => {
    expect((await forwarding({})).request).not.toHaveProperty('body');
    const body = Buffer.from([0, 255]);
    const { request } = await forwarding({}, { ...get, method: 'POST', body });
    expect(request).toMatchObject({ method: 'POST', body });
  });

  it('carries the token of the slot, whatever the caller put into its header (C14)', async () => {
    const { request } = await forwarding({}, { ...get, headers: { WFMSGAPIKEY: 'own', 'x-other': '1' } });
    expect(request?.headers).toEqual({ WFMSGAPIKEY: 'used', 'x-other': '1' });
  });

  it('carries it with its scheme where the upstream has one (H6)', async () => {
    const { request } = await forwarding({}, get, connectionOf('helpmaster', 'https://helpmaster.example'));
    expect(request?.headers).toEqual({ Authorization: 'Bearer used' });
  });

  it("trusts the connection's own certificate authority where it names one", async () => {
    expect((await forwarding({})).request).not.toHaveProperty('caCertificate');
    const { request } = await forwarding({}, get, community({ caCertificate: 'a PEM' }));
    expect(request?.caCertificate).toBe('a PEM');
  });

  it('tells the caller that an answer over 4.5 MB is too large, and nothing else of the kind', async () => {
    const large = await forwarding({ kind: 'failure', reason: 'too_large', sent: true });
    expect(large.outcome).toMatchObject({ code: 'upstream_response_too_large', backOff: 'unknown' });
    expect(large.outcome).toMatchObject({ detail: expect.stringContaining('4.5 MB') });
    const late = await forwarding({ kind: 'failure', reason: 'timeout', sent: true });
    expect(late.outcome).toMatchObject({ code: 'upstream_timeout' });
  });
});

describe('a forwarded answer', () => {
  it('comes as it is, without the header of the token and of one hop', async () => {
    const headers = { wfmsgapikey: ['x'], connection: ['close'], etag: ['"1"', '"2"'] };
    const { answer } = await answerTo({ status: 207, headers, body: 'body' });
    expect(answer).toEqual({ status: 207, headers: { etag: ['"1"', '"2"'] }, body: Buffer.from('body') });
  });
});

describe('a token in a forwarded answer', () => {
  const renewed = { wfmsgapikey: ['next'] };

  it('is taken up with the life of one that was just issued (C15, C17)', async () => {
    const { slid, requestStartedAt } = await answerTo({ headers: renewed });
    expect(slid?.value.reveal()).toBe('next');
    expect(slid?.life).toStrictEqual({ seconds: 1200 });
    expect(requestStartedAt).toBe(NOW);
  });

  it("is taken up with the upstream's own clock where the answer has it (H14)", async () => {
    const { slid } = await answerTo({ headers: { ...renewed, date: [new Date(NOW + 600_000).toUTCString()] } });
    expect(slid?.life).toStrictEqual({ seconds: 1200, serverDate: NOW + 600_000 });
  });

  it('is taken up from a failed call too, since the session was renewed (C15)', async () => {
    expect((await answerTo({ status: 404, headers: renewed })).slid?.value.reveal()).toBe('next');
  });

  it.each<[string, Answer]>([
    ['beside a 401', { status: 401, headers: renewed }],
    ['that is the one used', { headers: { wfmsgapikey: ['used'] } }],
    ['that is empty', { headers: { wfmsgapikey: [''] } }],
    ['that is not there', {}],
    ['that comes with conflicting values', { headers: { wfmsgapikey: ['next', 'other'] } }],
  ])('%s renews nothing, and the caller still gets the answer (C16)', async (_, answer) => {
    const outcome = await answerTo({ ...answer, body: 'said' });
    expect(outcome).not.toHaveProperty('slid');
    expect(outcome.answer.body.toString()).toBe('said');
  });

  it('renews nothing where the provider has no slide', async () => {
    const connection = connectionOf('helpmaster', 'https://help.example');
    const { outcome } = await forwarding({ headers: { authorization: ['next'], ...renewed } }, get, connection);
    expect(outcome).not.toHaveProperty('slid');
  });
});

import { describe, expect, it } from 'vitest';
import { parseMintRequest } from '../../../functions/mint/parse-request.ts';

const request = { connection: 'desk', subject: '88', fingerprint: 'f', trigger: 'caller' } as const;
const lease = { id: 'one', takenAt: 1 } as const;

describe('a request to mint', () => {
  it.each(['caller', 'reader', 'schedule', 'operator'] as const)('is taken with the trigger %s', (trigger) => {
    expect(parseMintRequest({ ...request, trigger })).toEqual({ ...request, trigger });
  });

  it.each([lease, { ...lease, way: 'login' }, { ...lease, way: 'renewal' }])('is taken with the lease %j', (given) => {
    expect(parseMintRequest({ ...request, lease: given })).toEqual({ ...request, lease: given });
  });

  it('is taken with a candidate from an operator alone, under a lease', () => {
    const candidate = { ...request, trigger: 'operator', lease, candidate: true };
    expect(parseMintRequest(candidate)).toEqual(candidate);
    expect(parseMintRequest({ ...candidate, trigger: 'caller' })).toBeUndefined();
    expect(parseMintRequest({ ...candidate, candidate: false })).toBeUndefined();
    expect(parseMintRequest({ ...request, trigger: 'operator', candidate: true })).toBeUndefined();
  });

  it.each([
    null,
    [],
    ...['connection', 'subject', 'fingerprint', 'trigger'].map((name) => ({ ...request, [name]: 1 })),
    { ...request, extra: 1 },
    JSON.parse('{"connection":"desk","subject":"88","fingerprint":"f","trigger":"caller","__proto__":{}}'),
    { ...request, lease: null },
    { ...request, lease: 'one' },
    { ...request, lease: { ...lease, id: 1 } },
    { ...request, lease: { ...lease, takenAt: '1' } },
    { ...request, lease: { ...lease, way: 'slide' } },
    { ...request, lease: { ...lease, extra: 1 } },
  ])('is none: %j', (event) => {
    expect(parseMintRequest(event)).toBeUndefined();
  });
});

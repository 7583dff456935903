import { describe, expect, it } from 'vitest';
import { readPurged, writePurged } from '../../../functions/core/slot/purged-token.ts';
import { parseLogoutRequest } from '../../../functions/mint/parse-logout.ts';
import { sealedToken } from '../core/slot/every-change.ts';

const closed = { closedCiphertext: new Uint8Array([1, 2]), closedDataKey: new Uint8Array([3]) };
const purged = { ...writePurged(7, { ...sealedToken, ...closed }) };
const request = { connection: 'desk', subject: '88', fingerprint: 'f', trigger: 'purge', purged } as const;

describe('a request to log out', () => {
  it.each([purged, { ...writePurged(7, sealedToken) }])('is taken as it was sent: %j', (given) => {
    const sent = JSON.parse(JSON.stringify({ ...request, purged: given }));
    expect(parseLogoutRequest(sent)).toEqual({ ...request, purged: given });
  });

  it('brings the sealed token, without its warning and the id of its publication', () => {
    const token = { ...sealedToken, ...closed, warning: 'its end is in doubt' };
    const { publicationId: _, warning: __, ...facts } = token;
    const { generation, token: read } = readPurged(JSON.parse(JSON.stringify(writePurged(7, token))));
    const bytes = Object.entries(facts).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value) : value,
    ]);
    expect({ generation, ...read }).toEqual({ generation: 7, ...Object.fromEntries(bytes), publicationId: '' });
  });

  it.each([
    null,
    [],
    ...['connection', 'subject', 'fingerprint', 'trigger', 'purged'].map((name) => ({ ...request, [name]: 1 })),
    { ...request, lease: { id: 'one', takenAt: 1 } },
    ...Object.keys(purged).map((name) => ({ ...request, purged: { ...purged, [name]: false } })),
    ...['ciphertext', 'dataKey', 'generation', 'hash'].map((name) => {
      const less = Object.entries(purged).filter(([other]) => other !== name);
      return { ...request, purged: Object.fromEntries(less) };
    }),
    { ...request, purged: { ...purged, token: 'x' } },
  ])('is none: %j', (event) => {
    expect(parseLogoutRequest(event)).toBeUndefined();
  });
});

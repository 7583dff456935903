import { describe, expect, it } from 'vitest';
import type { ApiEvent } from '../../../functions/api/request.ts';
import { resolveConnections } from '../../../functions/configuration/resolve.ts';
import { forwardedRequestOf } from '../../../functions/proxy/forwarded-request.ts';

const proxy = { methods: ['POST'], paths: ['/'] };
const { connections } = resolveConnections({
  connections: { helpdesk: { provider: 'helpmaster', baseUrl: 'https://upstream.example', proxy } },
});

function forwarded(body: Buffer) {
  const connection = connections['helpdesk'];
  if (connection?.proxy === undefined) throw new Error('the connection has a proxy');
  const event = {
    body: body.toString('base64'),
    isBase64Encoded: true,
    headers: {},
    pathParameters: { path: 'jobs' },
    rawQueryString: '',
    requestContext: { http: { method: 'POST' } },
  };
  // Only what is read of an event is there.
  return forwardedRequestOf(event as unknown as ApiEvent, connection, connection.proxy);
}

describe('the body of a proxied call', () => {
  it('may have 6 MB', () => {
    expect(forwarded(Buffer.alloc(6 * 1024 * 1024, 1)).body).toHaveLength(6 * 1024 * 1024);
  });

  it('is refused with 413 above', () => {
    expect(() => forwarded(Buffer.alloc(6 * 1024 * 1024 + 1))).toThrow(
      expect.objectContaining({ code: 'payload_too_large', status: 413 }),
    );
  });
});

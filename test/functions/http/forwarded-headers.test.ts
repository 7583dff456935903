import { describe, expect, it } from 'vitest';
import {
  isReservedHeader,
  pickAnswerHeaders,
  pickRequestHeaders,
  writeAnswerHeaders,
} from '../../../functions/http/forwarded-headers.ts';

describe('pickRequestHeaders', () => {
  const pick = (headers: Readonly<Record<string, string | undefined>>, tokenHeader = 'WFMSGAPIKEY') =>
    pickRequestHeaders(headers, { tokenHeaders: [tokenHeader], policyHeaders: ['x-declared'] });

  it('picks what describes content and what the policy names, in lower case', () => {
    const given = { Accept: '1', 'accept-language': '2', 'Content-Type': '3', 'if-match': '4', 'X-Declared': '5' };
    expect(pick(given)).toEqual({
      accept: '1',
      'accept-language': '2',
      'content-type': '3',
      'if-match': '4',
      'x-declared': '5',
    });
  });

  it.each(['accept-encoding', 'content-length', 'cookie', 'authorization', 'x-undeclared', 'x-if-match'])(
    'leaves %s out',
    (name) => {
      expect(pick({ [name]: 'x' })).toEqual({});
    },
  );

  it('has no name without a value', () => {
    expect(pick({ accept: undefined })).toEqual({});
  });

  it.each([
    ['WFMSGAPIKEY', 'wfmsgapikey', 'mine'],
    ['WFMSGAPIKEY', 'WFMSGAPIKEY', 'AWS4-HMAC-SHA256 Credential=local'],
    ['Authorization', 'authorization', 'Bearer mine'],
    ['X-Api-Key', 'x_api_key', 'mine'],
  ])("refuses a caller's own token in %s", (tokenHeader, name, value) => {
    expect(() => pick({ [name]: value }, tokenHeader)).toThrow(
      expect.objectContaining({ code: 'invalid_request', detail: expect.stringContaining(tokenHeader) }),
    );
  });

  it("leaves the signature of the caller's request out where the token's header has the same name", () => {
    expect(pick({ Authorization: 'AWS4-HMAC-SHA256 Credential=local' }, 'Authorization')).toEqual({});
  });
});

describe('the headers that say how a request is meant', () => {
  it.each([
    ...['range', 'prefer', 'idempotency-key', 'traceparent', 'tracestate', 'user-agent'],
    ...['x-request-id', 'x-correlation-id', 'x-requested-with'],
  ])('%s is forwarded unasked', (name) => {
    expect(pickRequestHeaders({ [name]: 'x' }, { tokenHeaders: [], policyHeaders: [] })).toEqual({ [name]: 'x' });
  });

  it.each([
    // Servers of CGI and WSGI make one name of hyphens and underscores.
    ...['x_original_url', 'x_http_method_override', 'x-original-host'],
    ...['x-http-method', 'x-http-method-override', 'x-method-override', 'x-original-url', 'x-rewrite-url'],
    ...['x-forwarded-host', 'x-forwarded-for', 'forwarded', 'x-host', 'x-real-ip', 'signature', 'signature-input'],
    ...['x-api-key', 'api-key', 'apikey', 'x-auth-token', 'x-access-token', 'dpop', 'x-hub-signature-256'],
    ...['x-remote-user', 'remote_user', 'x-authenticated-user', 'x-auth-request-email', 'x-ms-client-principal-id'],
    ...['x-goog-iap-jwt-assertion', 'x-goog-authenticated-user-email', 'cf-access-jwt-assertion', 'ssl-client-verify'],
    ...['x-client-cert', 'x-ssl-client-dn', 'true-client-ip', 'x-client-ip', 'fastly-client-ip', 'cf-connecting-ip'],
    // A CGI program takes `Proxy` for the address of a proxy (CVE-2016-5385), a WebDAV server `Destination` for a path.
    ...['proxy', 'destination', 'request-uri', 'base-url', 'x-override-url', 'x-http-destinationurl'],
    ...['x-original-http-method', 'x-method'],
  ])('%s, which changes what is meant or who asks, no policy may name', (name) => {
    expect(isReservedHeader(name)).toBe(true);
  });

  it.each(['x-tenant', 'x-client-id', 'x-user', 'x-proxy', 'x-api-version', 'x-request-source', 'x-original', 'range'])(
    '%s it may',
    (name) => {
      expect(isReservedHeader(name)).toBe(false);
    },
  );
});

describe('writeAnswerHeaders', () => {
  it('writes one line for each name, and the first of what there is once', () => {
    expect(writeAnswerHeaders({ vary: ['a', 'b'], 'content-type': ['text/html', 'text/plain'] })).toMatchObject({
      vary: 'a, b',
      'content-type': 'text/html',
    });
  });

  it('shuts an answer in, beside the policy of its own', () => {
    const shut = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };
    const sandbox = "sandbox; frame-ancestors 'none'";
    expect(writeAnswerHeaders({})).toEqual({ ...shut, 'content-security-policy': sandbox });
    const own = { 'content-security-policy': ["default-src 'self'"], 'cross-origin-resource-policy': ['cross-origin'] };
    expect(writeAnswerHeaders(own)).toEqual({ ...shut, 'content-security-policy': `default-src 'self', ${sandbox}` });
  });
});

describe('pickAnswerHeaders', () => {
  it.each([
    'connection',
    'content-length',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authentication-info',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'set-cookie',
    'token-broker-error',
    'wfmsgapikey',
  ])('drops %s, and keeps what concerns the caller', (name) => {
    expect(pickAnswerHeaders({ [name]: ['x'], etag: ['"1"', '"2"'] }, ['WFMSGAPIKEY'])).toEqual({
      etag: ['"1"', '"2"'],
    });
  });

  it.each(['X-One, x-two', 'x-one,x-two', 'x-one ,\tX-TWO'])(
    'drops the headers that `Connection: %s` names (RFC 9110 §7.6.1)',
    (connection) => {
      const headers = { connection: [connection], 'x-one': ['1'], 'x-two': ['2'], 'x-three': ['3'] };
      expect(pickAnswerHeaders(headers, ['WFMSGAPIKEY'])).toEqual({ 'x-three': ['3'] });
    },
  );

  it('has no name without a value', () => {
    expect(Object.keys(pickAnswerHeaders({ etag: undefined, age: ['1'] }, ['WFMSGAPIKEY']))).toEqual(['age']);
  });
});

describe('isReservedHeader', () => {
  it.each([
    ...['authorization', 'connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive'],
    ...['proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
    ...['upgrade', 'x-amz-date', 'x-amzn-trace-id'],
  ])('keeps %s out of every policy', (name) => {
    expect(isReservedHeader(name)).toBe(true);
  });

  it.each(['x-declared', 'x-amzing', 'prefer'])('lets a policy name %s', (name) => {
    expect(isReservedHeader(name)).toBe(false);
  });
});

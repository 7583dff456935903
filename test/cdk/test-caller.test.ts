import { describe, expect, it } from 'vitest';
import { type ApiEvent, callerOf } from '../../functions/api/request.ts';
import { testCallerIn } from '../../functions/api/test-caller.ts';

const CALLER = 'arn:aws:iam::000000000000:user/test';
const loopback = { TOKEN_BROKER_TEST_CALLER: CALLER, AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' };

/** Only what `callerOf` looks at. */
function eventBy(userArn: string | undefined): ApiEvent {
  const authorizer = userArn === undefined ? {} : { authorizer: { iam: { userArn } } };
  return { requestContext: { ...authorizer } } as unknown as ApiEvent;
}

describe('the test caller', () => {
  it('is named while every endpoint is on loopback', () => {
    expect(testCallerIn(loopback)).toBe(CALLER);
    expect(testCallerIn({ ...loopback, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000/' })).toBe(CALLER);
  });

  it.each([
    ['no endpoint, as on AWS', { AWS_ENDPOINT_URL: undefined }],
    ['an empty endpoint', { AWS_ENDPOINT_URL: '' }],
    ["AWS's own endpoint", { AWS_ENDPOINT_URL: 'https://dynamodb.eu-west-1.amazonaws.com' }],
    ['an endpoint elsewhere', { AWS_ENDPOINT_URL: 'http://10.0.0.1:4566' }],
    ['a name that only begins as loopback', { AWS_ENDPOINT_URL: 'http://127.0.0.1.example.com' }],
    ['loopback as a user name', { AWS_ENDPOINT_URL: 'http://127.0.0.1:80@example.com' }],
    ['a name that may resolve anywhere', { AWS_ENDPOINT_URL: 'http://localhost:4566' }],
    ['one service elsewhere', { AWS_ENDPOINT_URL_DYNAMODB: 'https://dynamodb.eu-west-1.amazonaws.com' }],
    ['no name', { TOKEN_BROKER_TEST_CALLER: '' }],
  ])('is nobody with %s', (_what, change) => {
    expect(testCallerIn({ ...loopback, ...change })).toBeUndefined();
    expect(() => callerOf(eventBy(undefined), { ...loopback, ...change })).toThrow('no caller identity');
  });

  it('never stands in for a caller who is there', () => {
    expect(callerOf(eventBy('arn:aws:iam::1:user/real'), loopback)).toBe('arn:aws:iam::1:user/real');
    expect(callerOf(eventBy(undefined), loopback)).toBe(CALLER);
  });
});

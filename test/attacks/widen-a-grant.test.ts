import { Lazy, Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import type { GrantableConnection } from '../../cdk/grants.ts';
import { TokenBroker } from '../../cdk/token-broker.ts';
import { newApp } from '../cdk/deployed.ts';

// The author of an app that only calls a broker, who wants its role to reach more than the operator would give: IAM
// reads `*` across slashes, and `fromAttributes` makes a policy of what it is told.
function importBroker(connections: Readonly<Record<string, GrantableConnection>>, place = {}): void {
  const stack = new Stack(newApp(), 'Caller', { env: { account: '123456789012', region: 'eu-central-1' } });
  TokenBroker.fromAttributes(stack, 'Broker', { apiId: 'abcde12345', connections, ...place });
}

const proxied = (methods: readonly string[], paths: readonly string[]) => ({ helpdesk: { proxy: { methods, paths } } });

describe('a broker imported by its attributes', () => {
  it.each<[string, Readonly<Record<string, GrantableConnection>>]>([
    ['every connection', { '*': {} }],
    ['a connection and more', { 'helpdesk/*': {} }],
    ['a name with a star', { 'help*': {} }],
    ['every path twice', proxied(['GET'], ['/*'])],
    ['a path that climbs', proxied(['GET'], ['/../../tokens'])],
    ['a relative path', proxied(['GET'], ['*'])],
    ['every method', proxied(['*'], ['/'])],
    ['no method', proxied([], ['/'])],
    ['a variable of the caller in a path', proxied(['GET'], [`/\${aws:username}`])],
    ['every user', { helpdesk: { subjects: { system: true, users: ['*'] } } }],
  ])('takes no wildcard: %s', (_, connections) => {
    expect(() => importBroker(connections)).toThrow(/connection|proxy|subject/);
  });

  it.each([
    ['every API', { apiId: '*' }],
    ['some APIs', { apiId: 'abc*' }],
    ['an API and more', { apiId: 'abcde12345/v1' }],
    ['every region', { region: '*' }],
    ['every account', { account: '*' }],
    ['a variable of the caller', { account: `\${aws:PrincipalAccount}` }],
  ])('is one API: %s', (_, place) => {
    expect(() => importBroker({ helpdesk: {} }, place)).toThrow('names no one API');
  });

  it('takes what a declaration could say', () => {
    expect(() => importBroker({ helpdesk: {} }, { apiId: Lazy.string({ produce: () => 'x' }) })).not.toThrow();
    expect(() => importBroker({ desk: {}, ...proxied(['GET', 'POST'], ['/', '/jobs']) })).not.toThrow();
  });
});

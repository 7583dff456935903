import { describe, expect, it } from 'vitest';
import type { Step } from '../../../../functions/core/slot/provider.ts';
import { findMissingScope } from '../../../../functions/providers/engine/granted-scope.ts';

const settings = { scope: 'orders.read orders.write' };
const values = { ...settings, secret: 'canary' };
const asking: Step = { url: '/token', form: { scope: '{scope}' } };

describe('findMissingScope (RFC 6749 §5.1)', () => {
  it.each<[how: string, step: Partial<Step>]>([
    ['a form', { form: { scope: '{scope}' } }],
    ['the query', { query: { scope: '{scope}' } }],
    ['JSON', { json: { scope: '{scope}', more: ['x'] } }],
    ['parameters', { parameters: { as: 'json', of: { scope: '{scope}' } } }],
    ['a fixed text', { form: { scope: 'orders.read,orders.write' } }],
  ])('names what is missing of a scope in %s', (_how, step) => {
    const warning = findMissingScope({ url: '/token', ...step }, values, settings, 'orders.read');
    expect(warning).toBe(
      'The upstream granted less than `scope` asks for: not `orders.write`. Have it granted to this client, or ask for less.',
    );
  });

  it.each<[what: string, granted: unknown]>([
    ['the same in another order', 'orders.write orders.read'],
    ['more', 'orders.write orders.read orders.delete'],
    ['the same with commas', 'orders.write,orders.read'],
    ['the same as a list', ['orders.read', 'orders.write']],
    ['something that is no scope', { orders: 'read' }],
    ['nothing', null],
    ['a number', 7],
  ])('has nothing to say of %s', (_what, granted) => {
    expect(findMissingScope(asking, values, settings, granted as never)).toBeUndefined();
  });

  it('says of an empty scope that all is missing, and lists five', () => {
    const scope = 'a b c d e f g';
    const warning = findMissingScope(asking, { scope }, { scope }, '');
    expect(warning).toContain('not `a`, `b`, `c`, `d`, `e` and 2 more.');
  });

  it('is silent where no scope was asked for, where one is that stands for everything, and about a secret', () => {
    expect(findMissingScope({ url: '/token', form: {} }, values, settings, 'orders.read')).toBeUndefined();
    expect(findMissingScope(asking, { ...values, scope: undefined }, settings, 'orders.read')).toBeUndefined();
    const scope = 'https://graph.microsoft.com/.default';
    expect(findMissingScope(asking, { scope }, { scope }, 'User.Read')).toBeUndefined();
    const secret: Step = { url: '/token', form: { scope: '{secret}' } };
    expect(findMissingScope(secret, values, settings, 'orders.read')).toBeUndefined();
  });
});

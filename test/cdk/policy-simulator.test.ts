import { describe, expect, it } from 'vitest';
import { judge, type Statement } from './policy-simulator.ts';

const request = { action: 'dynamodb:GetItem', resource: 'arn:aws:dynamodb:eu-west-1:1:table/t', context: {} };
const allow: Statement = { Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' };

describe('the policy simulator', () => {
  it('lets an explicit deny win, and nothing be allowed that no statement mentions', () => {
    expect(judge([allow], request)).toBe('allowed');
    expect(judge([allow, { ...allow, Effect: 'Deny' }], request)).toBe('denied');
    expect(judge([], request)).toBe('unmentioned');
    expect(judge([{ ...allow, Resource: 'arn:aws:dynamodb:eu-west-1:1:table/u' }], request)).toBe('unmentioned');
  });

  it('takes actions in any case, and everything but those of NotAction and NotResource', () => {
    expect(judge([{ ...allow, Action: 'DYNAMODB:getitem' }], request)).toBe('allowed');
    expect(judge([{ Effect: 'Allow', NotAction: 'kms:*', Resource: '*' }], request)).toBe('allowed');
    expect(judge([{ Effect: 'Allow', NotAction: 'dynamodb:Get*', Resource: '*' }], request)).toBe('unmentioned');
    expect(judge([{ Effect: 'Allow', Action: '*', NotResource: '*/t' }], request)).toBe('unmentioned');
  });

  it('has wildcards that reach across slashes and colons, and no others', () => {
    const onArn = (Resource: string) => judge([{ ...allow, Resource }], request);
    expect(onArn('arn:aws:dynamodb:*/t')).toBe('allowed');
    expect(onArn('arn:aws:dynamodb:eu-west-1:1:table/?')).toBe('allowed');
    expect(onArn('arn:aws:dynamodb:eu.west-1:1:table/t')).toBe('unmentioned');
  });

  it('holds ForAllValues where the key is missing, as IAM does, and Null closes that', () => {
    const onlyOwn = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['a'] } };
    const judged = (Condition: Statement['Condition'], keys?: readonly string[]) =>
      judge([{ ...allow, ...(Condition && { Condition }) }], {
        ...request,
        context: keys === undefined ? {} : { 'dynamodb:LeadingKeys': keys },
      });
    expect(judged(onlyOwn)).toBe('allowed');
    expect(judged({ ...onlyOwn, Null: { 'dynamodb:LeadingKeys': 'false' } })).toBe('unmentioned');
    expect(judged(onlyOwn, ['a'])).toBe('allowed');
    expect(judged(onlyOwn, ['a', 'b'])).toBe('unmentioned');
  });

  it('does not hold an equality where the key is missing, and holds an inequality', () => {
    const judged = (Condition: NonNullable<Statement['Condition']>) => judge([{ ...allow, Condition }], request);
    expect(judged({ StringEquals: { k: 'v' } })).toBe('unmentioned');
    expect(judged({ StringLike: { k: '*' } })).toBe('unmentioned');
    expect(judged({ ArnNotEquals: { k: 'v' } })).toBe('allowed');
  });

  it('refuses to judge by an operator that it does not know', () => {
    expect(() => judge([{ ...allow, Condition: { DateLessThan: { k: 'v' } } }], request)).toThrow('DateLessThan');
  });
});

import { describe, expect, it } from 'vitest';
import { findExamples } from '../../../functions/configuration/example-hosts.ts';

describe('findExamples', () => {
  it.each([
    ['https://helpmaster.example.com/api', true],
    ['https://example.org', true],
    ['https://wfm.example/api', true],
    ['https://nowhere.invalid', true],
    ['https://example.com.acme.net', false],
    ['https://myexample.com', false],
    ['http://127.0.0.1:8080', false],
  ])('of %s is it: %s', (baseUrl, isExample) => {
    expect(findExamples({ one: { baseUrl } })).toEqual(isExample ? [baseUrl] : []);
  });
});

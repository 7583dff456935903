import { describe, expect, it } from 'vitest';
import { contextIn, replaceStage } from '../../cdk/deploy-arguments.ts';

describe('the stage', () => {
  it.each([
    [
      ['--stage', 'dev', '--yes'],
      ['--context', 'stage=dev', '--yes'],
    ],
    [['--stage=dev'], ['--context', 'stage=dev']],
    [
      ['--context', 'domainName=x'],
      ['--context', 'domainName=x'],
    ],
    [
      ['--staged', 'dev'],
      ['--staged', 'dev'],
    ],
  ])('of %j is the context %j', (given, passed) => {
    expect(replaceStage(given)).toEqual(passed);
  });
});

describe('the settings among the words', () => {
  it.each([
    [
      ['--context', 'stage=dev', '--yes'],
      ['--context', 'stage=dev'],
    ],
    [
      ['-c', 'tracing=true', '--verbose', '--context=domainName=x'],
      ['-c', 'tracing=true', '--context=domainName=x'],
    ],
    [['--contexts', 'a=b', 'TokenBroker'], []],
  ])('of %j are %j', (words, settings) => {
    expect(contextIn(words)).toEqual(settings);
  });
});

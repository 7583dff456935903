import { describe, expect, it } from 'vitest';
import { callerNamesOf } from '../../cdk/caller-names.ts';
import { readDeployArguments } from '../../cdk/deploy-arguments.ts';

describe('readDeployArguments', () => {
  it.each([
    [['--stage', 'dev'], ['stage=dev']],
    [['--stage=dev'], ['stage=dev']],
    [
      ['--context', 'domainName=x', '-c', 'tracing=true', '--context=a=b'],
      ['domainName=x', 'tracing=true', 'a=b'],
    ],
    [
      ['--context', 'brokerName=one', '--stage', 'dev'],
      ['brokerName=one', 'stage=dev'],
    ],
  ])('takes the settings of %j', (words, context) => {
    expect(readDeployArguments(words)).toMatchObject({ context, passedOn: [] });
  });

  it.each([
    [['--profile', 'work', '--outputs-file', 'out.json'], 'work', ['--outputs-file', 'out.json']],
    [['--profile=work', '--hotswap'], 'work', ['--hotswap']],
    [['--staged', 'dev'], undefined, ['--staged', 'dev']],
    // Asked here, where it is meant or not.
    [['--require-approval', 'broadening', 'TokenBroker'], undefined, ['TokenBroker']],
    [['--require-approval=never', '--no-rollback'], undefined, ['--no-rollback']],
  ])('of %j takes the profile, and passes on what is for CDK', (words, profile, passedOn) => {
    expect(readDeployArguments(words)).toEqual({ profile, allowsMe: false, isAgreed: false, context: [], passedOn });
  });

  it('lets in who deploys by --allow-me alone', () => {
    expect(readDeployArguments(['--allow-me'])).toMatchObject({ allowsMe: true, passedOn: [] });
    expect(readDeployArguments(['--allow-men'])).toMatchObject({ allowsMe: false });
  });

  it.each([
    ['arn:aws:iam::111122223333:user/team/ada', ['arn:aws:iam::111122223333:user/team/ada']],
    ['arn:aws:iam::111122223333:root', ['arn:aws:iam::111122223333:root']],
    [
      'arn:aws-cn:sts::111122223333:assumed-role/Deployer/session@example',
      ['arn:aws-cn:iam::111122223333:role/Deployer', 'arn:aws-cn:iam::111122223333:role/*/Deployer'],
    ],
  ])('knows %s as a policy does', (arn, names) => {
    expect(callerNamesOf(arn)).toEqual(names);
  });

  it('is agreed to by --yes alone', () => {
    expect(readDeployArguments(['--yes'])).toMatchObject({ isAgreed: true, passedOn: [] });
    expect(readDeployArguments(['--yesterday'])).toMatchObject({ isAgreed: false });
  });
});

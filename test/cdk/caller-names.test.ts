import { expect, it } from 'vitest';
import { callerNamesOf } from '../../cdk/caller-names.ts';

it.each([
  ['arn:aws:iam::111122223333:user/team/ada', ['arn:aws:iam::111122223333:user/team/ada']],
  ['arn:aws:iam::111122223333:root', ['arn:aws:iam::111122223333:root']],
  [
    'arn:aws-cn:sts::111122223333:assumed-role/Deployer/session@example',
    ['arn:aws-cn:iam::111122223333:role/Deployer', 'arn:aws-cn:iam::111122223333:role/*/Deployer'],
  ],
])('%s is known as a policy knows it', (arn, names) => {
  expect(callerNamesOf(arn)).toEqual(names);
});

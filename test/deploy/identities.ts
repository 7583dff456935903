import { callQuery } from './aws-calls.ts';
import type { Environment, Place } from './place.ts';

/** The account of the emulator. */
export const ACCOUNT = '000000000000';

/** Makes a user with `AdministratorAccess`, and gives what its commands have. */
export async function createAdministrator({ owner }: Place, name: string): Promise<Environment> {
  await callQuery(owner, 'iam', { Action: 'CreateUser', UserName: name });
  await callQuery(owner, 'iam', {
    Action: 'AttachUserPolicy',
    UserName: name,
    PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
  });
  return { ...owner, ...keysIn(await callQuery(owner, 'iam', { Action: 'CreateAccessKey', UserName: name })) };
}

/** Assumes a role, named with its path, and gives what its commands have; `tags` are those of the session. */
export async function assumeRole(
  by: Environment,
  role: string,
  tags: Readonly<Record<string, string>> = {},
): Promise<Environment> {
  const tagged = Object.entries(tags).flatMap(([key, value], index) => [
    [`Tags.member.${index + 1}.Key`, key],
    [`Tags.member.${index + 1}.Value`, value],
  ]);
  const answer = await callQuery(by, 'sts', {
    Action: 'AssumeRole',
    RoleArn: `arn:aws:iam::${ACCOUNT}:role/${role}`,
    RoleSessionName: 'deploy-test',
    ...Object.fromEntries(tagged),
  });
  return { ...by, ...keysIn(answer) };
}

function keysIn(answer: string): Environment {
  const read = (element: string) => new RegExp(`<${element}>([^<]+)</${element}>`).exec(answer)?.[1];
  const [accessKeyId, secretAccessKey] = [read('AccessKeyId'), read('SecretAccessKey')];
  // The answer may hold one of the two, so the message quotes none of it.
  if (accessKeyId === undefined || secretAccessKey === undefined) throw new Error('The answer has no pair of keys.');
  const sessionToken = read('SessionToken');
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
}

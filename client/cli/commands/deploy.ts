import { resolve } from 'node:path';
import type { Command } from '../command.ts';
import { UsageError } from '../exit-codes.ts';

/** Options of CDK's that would deploy something else than what was looked at. */
const OTHER_APP = /^(?:--app|-a|--output|-o)(?:=|$)/;

/** `token-broker deploy`: the CDK app of this folder, with a question before what cannot be undone. */
export const deployCommand: Command = {
  name: 'deploy',
  summary: 'deploys the CDK app of this folder, and asks before it does what cannot be undone',
  operands: [],
  rest: '[CDK OPTIONS]',
  options: {
    stage: { type: 'string', value: 'NAME', help: 'a broker of its own beside others: the setting `stage` of the app' },
    'allow-me': { type: 'boolean', help: 'lets you in to the API: the setting `allowMe` of the app' },
    context: {
      type: 'string',
      short: 'c',
      value: 'KEY=VALUE',
      multiple: true,
      help: 'a setting of the app; repeatable',
    },
    profile: { type: 'string', value: 'NAME', help: 'AWS profile, for all of it' },
    yes: { type: 'boolean', help: 'asks nothing: for where nobody can be asked' },
  },
  notes: [
    'It asks before it drops a connection, replaces or deletes a secret, the key, a table or the API, or broadens',
    "permissions. It deploys no address of an example, and needs a region: --region, AWS_REGION or the profile's.",
  ],
  examples: [
    ['deploy --allow-me', 'the first time: nobody else is let in yet'],
    ['deploy --stage dev --context tracing=true', 'a second broker, with a setting'],
    ['deploy --yes -- --outputs-file outputs.json', 'where nobody can be asked, with an option of `cdk deploy`'],
  ],
  async run(call) {
    if (call.rest.some((word) => OTHER_APP.test(word))) {
      throw new UsageError('`cdk.json` says which app is deployed: --app and --output are not for behind `--`.');
    }
    return call.own.deploy({
      folder: resolve('.'),
      profile: call.text('profile'),
      region: call.text('region'),
      stage: call.text('stage'),
      allowsMe: call.flag('allow-me'),
      isAgreed: call.flag('yes'),
      context: call.texts('context'),
      passedOn: call.rest,
    });
  },
};

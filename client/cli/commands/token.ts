import { type Command, operand, subjectOption } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WHOLE_SECONDS = /^[0-9]{1,9}$/;

/** `token-broker token`: prints a token, and nothing else, so that `$(…)` is enough. */
export const tokenCommand: Command = {
  name: 'token',
  summary: 'prints a token alone',
  operands: ['CONNECTION'],
  options: {
    subject: subjectOption,
    header: { type: 'boolean', help: 'prints it as the header to send, NAME: VALUE' },
    env: { type: 'string', value: 'NAME', help: 'prints it as a line for `eval`: export NAME=…' },
    'min-ttl': { type: 'string', value: 'SECONDS', help: 'it must be good for that long' },
  },
  notes: ['With --json: the hand-out as the broker answers it, the token in it.'],
  examples: [
    ['token wfm', 'the token alone'],
    [
      'token helpdesk --subject 88 --header',
      'for curl, by stdin: token-broker token helpdesk -s 88 --header | curl -H @- URL',
    ],
    ['token helpdesk --env HELPDESK_TOKEN', 'for a shell: eval "$(…)"'],
  ],
  async run(call) {
    const [isHeader, variable, minTtl] = [call.flag('header'), call.text('env'), call.text('min-ttl')];
    if ([isHeader, variable !== undefined, call.isJson].filter(Boolean).length > 1) {
      throw new UsageError('--header, --env and --json are three ways to print one token: choose one.');
    }
    if (variable !== undefined && !VARIABLE.test(variable)) {
      throw new UsageError('--env is the name of a variable: letters, digits and _.');
    }
    if (minTtl !== undefined && !WHOLE_SECONDS.test(minTtl)) {
      throw new UsageError('--min-ttl is a whole number of seconds.');
    }
    const handOut = await call.client.token(operand(call, 0), {
      subject: call.text('subject'),
      ...(minTtl === undefined ? {} : { minTtlSeconds: Number(minTtl) }),
    });
    if (call.isJson) call.print(JSON.stringify(handOut.toWire(), undefined, 2));
    else if (variable !== undefined) call.print(`export ${variable}=${shellQuoted(handOut.token)}`);
    else if (isHeader) for (const [name, value] of Object.entries(handOut.headers)) call.print(`${name}: ${value}`);
    else call.print(handOut.token);
    return EXIT.ok;
  },
};

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

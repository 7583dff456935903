import { hashOf, shortHashOf } from '../../hand-out.ts';
import { type Call, type Command, operand, subjectOption } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { readAll, readHidden } from '../terminal.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/** `token-broker reject`: reports a token that the upstream answered 401 to. */
export const rejectCommand: Command = {
  name: 'reject',
  summary: 'reports a token that the upstream answered 401 to; if it is current, it is renewed once',
  operands: ['CONNECTION'],
  options: {
    subject: subjectOption,
    hash: { type: 'string', value: 'HEX', help: "the token's SHA-256 in lowercase hex, in place of the token itself" },
  },
  notes: ['The token comes on stdin or is asked for, never as an argument: arguments are seen by others.'],
  examples: [
    ['reject wfm < token.txt', 'a token from a file; the newline at its end does not count'],
    ['reject wfm --hash "$(printf %s "$TOKEN" | sha256sum | cut -d\' \' -f1)"', 'by its hash'],
  ],
  async run(call) {
    const connection = operand(call, 0);
    const sha256 = call.text('hash') ?? hashOf(await tokenOf(call));
    if (!SHA256.test(sha256)) throw new UsageError('--hash is the SHA-256 of the token: 64 lowercase hex digits.');
    const subject = call.text('subject');
    const handOut = await call.client.reject(connection, { sha256, ...(subject === undefined ? {} : { subject }) });
    const { generation, source, tokenHash } = handOut;
    const rejected = shortHashOf(sha256);
    if (call.isJson) {
      const slot = { connection: handOut.connection, subject: handOut.subject };
      call.print(JSON.stringify({ ...slot, rejected, current: tokenHash, generation, source }, undefined, 2));
      return EXIT.ok;
    }
    call.print(`${tokenHash}  generation ${generation}`);
    call.say(
      source !== 'cache'
        ? `The token ${rejected}… was renewed by a ${source}.`
        : `The token ${rejected}… was not the current one, or others have had it renewed: nothing was renewed now.`,
    );
    return EXIT.ok;
  },
};

async function tokenOf(call: Call): Promise<string> {
  const { terminal } = call;
  const isTyped = terminal.stdin.isTTY === true;
  const text = isTyped
    ? await readHidden(terminal, 'Token (not shown): ')
    : (await readAll(terminal.stdin)).toString('utf8');
  const token = text.replace(/\r?\n$/, '');
  if (token === '') throw new UsageError('There is no token on stdin. Give it there, or its hash with --hash.');
  return token;
}

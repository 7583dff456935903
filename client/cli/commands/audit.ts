import { type HandOutRecord, TOKEN_HASH } from '../../dashboard/past.ts';
import { shortHashOf } from '../../hand-out.ts';
import { brokerOption, pastOf } from '../broker-past.ts';
import { type Command, operand } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { parseSlot } from '../slot-operand.ts';
import { tableOf } from '../table.ts';

const DURATION = /^([1-9][0-9]{0,4})([smhdw])$/;
const secondsByUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const WHOLE_NUMBER = /^[1-9][0-9]{0,4}$/;
/** Most rows that a query of Logs Insights gives. */
const MOST_ROWS = 10_000;
const SHELL_UNSAFE = /\p{Cc}/u;

/** `token-broker audit`: who got which token, and when. For operators. */
export const auditCommand: Command = {
  name: 'audit',
  summary: 'tells who got which token, and when',
  operands: ['[CONNECTION[/SUBJECT]]'],
  options: {
    since: {
      type: 'string',
      value: 'TIME',
      help: 'how far back: 30m, 2h, 7d, or a time such as 2026-11-22T10:00Z (1h)',
    },
    caller: { type: 'string', value: 'TEXT', help: "part of the caller's ARN, or of its federated identity" },
    token: { type: 'string', value: 'HASH', help: 'the token hash: 12 hex digits as in logs, or the whole SHA-256' },
    limit: { type: 'string', value: 'N', help: `the latest N hand-outs (100; ${MOST_ROWS} at most)` },
    broker: brokerOption,
  },
  notes: [
    'Of a deployed broker it asks CloudWatch Logs Insights with your credentials, in --region or the one of --url; AWS',
    'bills the data scanned, and a record can be asked for about a minute after its hand-out. Of `npm start` it tells the',
    'last 1,000 hand-outs of this run. No token is in the audit: who has one finds its hash with',
    'printf %s "$TOKEN" | sha256sum.',
  ],
  examples: [
    ['audit helpdesk --since 2h', 'the hand-outs of one connection'],
    ['audit --caller deploy-role --since 7d --url https://ID.execute-api.eu-west-1.amazonaws.com/v1', 'of one caller'],
    ['audit --token 3ac9d2f10b7e --json', 'who had this token'],
  ],
  async run(call) {
    const slot = operand(call, 0);
    const { connection, subject } = slot === '' ? { connection: undefined, subject: undefined } : parseSlot(slot);
    const [tokenHash, limit] = [call.text('token'), call.text('limit') ?? '100'];
    if (tokenHash !== undefined && !TOKEN_HASH.test(tokenHash)) {
      throw new UsageError(
        '--token is the hash of a token, 12 or 64 lowercase hex digits, and never the token itself.',
      );
    }
    if (!WHOLE_NUMBER.test(limit) || Number(limit) > MOST_ROWS) {
      throw new UsageError(`--limit is a whole number from 1 to ${MOST_ROWS}.`);
    }
    const caller = call.text('caller');
    if (caller !== undefined && SHELL_UNSAFE.test(caller)) throw new UsageError('--caller has no control characters.');
    const wanted = {
      since: parseSince(call.text('since') ?? '1h', Date.now()),
      limit: Number(limit),
      tokenHash: tokenHash && shortHashOf(tokenHash),
      ...{ connection, caller },
      // A connection alone means all of its subjects.
      subject: slot.includes('/') ? subject : undefined,
    };
    const records = await pastOf(call).handOuts(wanted);
    if (call.isJson) call.print(JSON.stringify({ records }, undefined, 2));
    else if (records.length > 0)
      call.print(tableOf([TITLES.map((title) => call.paint('dim', title)), ...records.map(cellsOf)]));
    if (!call.isJson && records.length === 0) call.say('No hand-out fits. Look further back with --since.');
    if (records.length === wanted.limit)
      call.say(`There may be more than these ${limit}: --limit, or a later --since.`);
    return EXIT.ok;
  },
};

const TITLES = ['AT', 'CALLER', 'SLOT', 'TOKEN', 'GEN', 'SOURCE', 'REQUEST'];

function cellsOf({ at, caller, connection, subject, token, generation, source, via, requestId }: HandOutRecord) {
  const how = via === undefined ? source : `${source}, ${via}`;
  return [at, caller, `${connection}/${subject}`, token, String(generation), how, requestId];
}

/** Reads how far back to look. Throws a `UsageError` for what is neither a duration nor a time before now. */
function parseSince(text: string, now: number): number {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  const seconds = secondsByUnit[unit];
  const since = seconds === undefined ? Date.parse(text) : now - Number(count) * seconds * 1000;
  if (Number.isFinite(since) && since < now) return since;
  throw new UsageError('--since is a duration such as 30m, 2h or 7d, or a time before now such as 2026-11-22T10:00Z.');
}

import { remedyByCode } from '../../../client/remedies.ts';
import { type GatewayAnswer, gatewayAnswers } from '../../../functions/api/gateway-responses.ts';
import { titleByCode } from '../../../functions/api/titles.ts';
import { isBrokerErrorCode, statusByCode } from '../../../functions/core/words/errors.ts';

/** Codes that only API Gateway answers, each with its explanation. */
const ofGateway = new Map(
  Object.values<GatewayAnswer>(gatewayAnswers)
    .filter(({ code }) => !isBrokerErrorCode(code))
    .map((answer) => [answer.code, answer]),
);

/** Lists every code that a problem can have: the broker's, and API Gateway's own. */
export function problemCodes(): [string, ...string[]] {
  return [...keysOf(statusByCode), ...ofGateway.keys()];
}

/** Builds a table in Markdown of every code with its status, meaning and remedy. */
export function codeTable(): string {
  const remedies: Readonly<Record<string, string>> = remedyByCode;
  const own = keysOf(statusByCode).map(
    (code) => [code, { status: statusByCode[code], title: titleByCode[code] }] as const,
  );
  const rows = [...own, ...ofGateway].map(
    ([code, { status = '', title }]) => `| ${status} | \`${code}\` | ${title}. ${remedies[code]} |`,
  );
  return ['| status | code | what it means, and what to do |', '|---|---|---|', ...rows].join('\n');
}

/** Lists the keys of a table, of which it has at least one, with their type. */
export function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): [Key, ...Key[]] {
  // `Object.keys` loses the type of the keys; the table has no others.
  return Object.keys(table) as [Key, ...Key[]];
}

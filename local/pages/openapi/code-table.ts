import { remedyByCode } from '../../../client/remedies.ts';
import { type BrokerErrorCode, errorCodes } from '../../../functions/core/words/errors.ts';

/** Builds a table in Markdown of every code with its status, meaning and remedy. */
export function codeTable(): string {
  // `Object.keys` loses the type of the keys; the table has no others.
  const codes = Object.keys(errorCodes) as BrokerErrorCode[];
  const rows = codes.map((code) => {
    const { status, title } = errorCodes[code];
    return `| ${status} | \`${code}\` | ${title}. ${remedyByCode[code]} |`;
  });
  return ['| status | code | what it means, and what to do |', '|---|---|---|', ...rows].join('\n');
}

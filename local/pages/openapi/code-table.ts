import { remedyByCode } from '../../../client/remedies.ts';
import { type BrokerErrorCode, errorCodes } from '../../../functions/core/words/errors.ts';

/** Every code with its status, what it means and what to do, as a table in Markdown. */
export function codeTable(): string {
  // `Object.keys` forgets the keys of a type that is closed by construction.
  const codes = Object.keys(errorCodes) as BrokerErrorCode[];
  const rows = codes.map((code) => {
    const { status, title } = errorCodes[code];
    return `| ${status} | \`${code}\` | ${title}. ${remedyByCode[code]} |`;
  });
  return ['| status | code | what it means, and what to do |', '|---|---|---|', ...rows].join('\n');
}

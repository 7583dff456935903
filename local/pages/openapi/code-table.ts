import { remedyByCode } from '../../../client/remedies.ts';
import { titleByCode } from '../../../functions/api/problem.ts';
import { type BrokerErrorCode, statusByCode } from '../../../functions/core/words/errors.ts';

/** Every code with its status, what it means and what to do, as a table in Markdown. */
export function codeTable(): string {
  // `Object.keys` forgets the keys of a type that is closed by construction.
  const codes = Object.keys(statusByCode) as BrokerErrorCode[];
  const rows = codes.map(
    (code) => `| ${statusByCode[code]} | \`${code}\` | ${titleByCode[code]}. ${remedyByCode[code]} |`,
  );
  return ['| status | code | what it means, and what to do |', '|---|---|---|', ...rows].join('\n');
}

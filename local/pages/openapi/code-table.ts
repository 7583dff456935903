import { remedyByCode } from '../../../client/remedies.ts';
import { errorCodes } from '../../../functions/core/words/errors.ts';

/** Builds a table in Markdown of every code with its status, meaning and remedy. */
export function codeTable(): string {
  const rows = keysOf(errorCodes).map((code) => {
    const { status, title } = errorCodes[code];
    return `| ${status} | \`${code}\` | ${title}. ${remedyByCode[code]} |`;
  });
  return ['| status | code | what it means, and what to do |', '|---|---|---|', ...rows].join('\n');
}

/** Lists the keys of a table, of which it has at least one, with their type. */
export function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): [Key, ...Key[]] {
  // `Object.keys` loses the type of the keys; the table has no others.
  return Object.keys(table) as [Key, ...Key[]];
}

import type { Connection } from '../../core/slot/connection.ts';
import type { IssuedLife } from '../../core/slot/lifetime.ts';
import type { End } from '../../core/slot/provider.ts';
import type { Values } from '../../core/slot/text.ts';
import { parseDate, parseNumber, readNumericDate } from './dates.ts';
import { readClaims, readExpiry } from './jwt-claims.ts';

const RELATIVE: ReadonlySet<string> = new Set(['seconds', 'minutes', 'milliseconds']);

/** A token's end as an answer states it, and the end that could not be read. */
export interface ReadLife {
  readonly life: IssuedLife;
  /** Warning to the operator of an end that is present but cannot be read. */
  readonly warning?: string;
}

/** Finds a token's end: the first of the provider's ends that can be read. */
export function readLife(ends: readonly End[] = [], values: Values, connection: Connection): ReadLife {
  const unread: string[] = [];
  for (const end of ends) {
    const life = readLifeBy(end, values, connection);
    if (typeof life === 'object') return { life, ...createWarning(unread) };
    if (typeof life === 'string') unread.push(life);
  }
  return { life: {}, ...createWarning(unread) };
}

function createWarning(unread: readonly string[]): { readonly warning?: string } {
  if (unread.length === 0) return {};
  const warning = `The upstream's answer says when the token ends (${unread.join(', ')}), and not in a form that can be read.`;
  return { warning };
}

/** A life; the name of what is there and cannot be read; or undefined where nothing is there. */
function readLifeBy(
  end: End,
  values: Values,
  { lifetimeSeconds, provider: { limits } }: Connection,
): IssuedLife | string | undefined {
  if ('seconds' in end) return { seconds: end.seconds };
  if ('setting' in end) return lifetimeSeconds === undefined ? undefined : { seconds: lifetimeSeconds };
  if ('jwt' in end) {
    const claims = readClaims(values[end.jwt] ?? '');
    const exp = readExpiry(claims);
    if (exp !== undefined) return { exp };
    return claims?.['exp'] === undefined || claims['exp'] === null ? undefined : '`exp`';
  }
  const text = values[end.value]?.trim();
  if (text === undefined || text === '') return undefined;
  // An upstream that gives the same token again until it ends says 0 in its last second.
  if (limits?.reissues === true && RELATIVE.has(end.as) && parseNumber(text) === 0) return { seconds: 0 };
  return readEnd(end.as, text) ?? `\`${end.value}\``;
}

function readEnd(as: Extract<End, { value: string }>['as'], text: string): IssuedLife | undefined {
  if (as === 'date') {
    const exp = parseDate(text);
    return exp === undefined ? undefined : { exp };
  }
  const number = parseNumber(text);
  if (number === undefined || number <= 0) return undefined;
  switch (as) {
    case 'seconds':
      return { seconds: number };
    case 'minutes':
      return { seconds: number * 60 };
    case 'milliseconds':
      return { seconds: number / 1000 };
    case 'epoch-seconds':
      return { exp: readNumericDate(number) ?? 0 };
    case 'epoch-milliseconds':
      return { exp: number };
  }
}

import type { Provider } from '../core/slot/provider.ts';
import { namesIn } from '../core/slot/text.ts';
import { findOriginFault } from './origins.ts';

/** One thing wrong with a provider; `path` leads to it from the provider's own object. */
export interface ProviderProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Headers that HTTP, or the broker itself, sets. */
const RESERVED_HEADERS = new Set([
  'host',
  'content-length',
  'connection',
  'transfer-encoding',
  'te',
  'upgrade',
  'keep-alive',
  'trailer',
  'expect',
]);
const HOST_PATTERN = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$/;

/** Finds headers that HTTP, or the broker itself, sets, that are there twice, or that no request may carry. */
export function findHeaderProblems(
  path: readonly PropertyKey[],
  headers: Readonly<Record<string, string>> = {},
): ProviderProblem[] {
  const seen = new Set<string>();
  return Object.entries(headers).flatMap(([name, text]) => {
    const lower = name.toLowerCase();
    const isSeen = seen.has(lower);
    seen.add(lower);
    return [
      ...(RESERVED_HEADERS.has(lower) ? ['is a header of the connection itself: take it out'] : []),
      ...(isSeen ? ['is there already, in other letters: a header has one value'] : []),
      ...(/[^\x20-\x7e]/.test(text) ? ['has a character that no header may carry: use printable ASCII'] : []),
    ].map((message) => ({ path: [...path, name], message }));
  });
}

/** Finds entries that are neither a host nor the end of one. */
export function findHostProblems(path: readonly PropertyKey[], hosts: readonly string[] = []): ProviderProblem[] {
  return hosts.flatMap((host, index) => {
    if (HOST_PATTERN.test(host)) return [];
    return [
      {
        path: [...path, index],
        message:
          'must be a host in lower case, such as api.example.com, or `*.` and the end of one with two names or more',
      },
    ];
  });
}

/** Finds a URL's faulty host: allowed are the connection's own, a text, settings, and `hosts` for an answer's value. */
export function findUrlProblems(
  provider: Provider,
  path: readonly PropertyKey[],
  url: string,
  hosts: readonly string[] | undefined,
): ProviderProblem[] {
  const { settings = {}, secretFields, derived = {} } = provider;
  const [, first] = /^\{(\w+)\}/.exec(url) ?? [];
  if (url.startsWith('/') && !url.startsWith('//')) return [];
  if (first !== undefined && first !== 'baseUrl' && settings[first]?.kind !== 'path') {
    const isOfAnswer =
      !Object.hasOwn(settings, first) &&
      !Object.hasOwn(secretFields, first) &&
      !Object.hasOwn(derived, first) &&
      first !== 'subject';
    if (!isOfAnswer)
      return [
        {
          path,
          message: `must not begin with \`{${first}}\`: the host of a URL may name settings of the kinds host and path alone`,
        },
      ];
    return hosts === undefined
      ? [{ path, message: 'is made of an answer, so it needs `hosts`: where it may lead' }]
      : [];
  }
  if (first === 'baseUrl' && !goesOnAsPath(url.replace('{baseUrl}', ''), provider))
    return [{ path, message: 'must go on with `/` after `{baseUrl}`: else it may lead to another host' }];
  if (first !== undefined) return [];
  const [, host] = /^https:\/\/([^/?#]*)/i.exec(url) ?? [];
  if (host === undefined || host === '')
    return [{ path, message: 'must begin with `/`, to stand behind the base URL, or with `https://` and a host' }];
  const strange = namesIn(host).filter((name) => !['host', 'enum'].includes(settings[name]?.kind ?? ''));
  if (strange.length > 0)
    return [
      {
        path,
        message: `has \`{${strange[0]}}\` in its host: the host of a URL may name settings of the kinds host and enum alone`,
      },
    ];
  const sample = url.replace(/\{\w+\}/g, 'x');
  const problem = findOriginFault(sample.replace(/[?#].*$/, ''));
  return problem === undefined ? [] : [{ path, message: problem }];
}

/** Reports whether a text ends what a host may be: with a slash, a query, or a setting that is a path. */
function goesOnAsPath(text: string, { settings = {} }: Provider): boolean {
  const [, next] = /^\{(\w+)\}/.exec(text) ?? [];
  return /^(?:[/?]|$)/.test(text) || (next !== undefined && settings[next]?.kind === 'path');
}

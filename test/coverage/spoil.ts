import type { Provider } from '../../functions/core/slot/provider.ts';

/** A provider with one thing wrong. */
export interface Spoiled {
  readonly what: string;
  readonly provider: Provider;
}

interface Way {
  /** The members that it spoils, by their path. */
  readonly at: RegExp;
  readonly what: string;
  /** Undefined: the member is left out. */
  readonly to: (value: unknown) => unknown;
}

const MEMBER = /(?:\/(?:form|query|headers|header|claims)|\/json(?:\/.+)?)\/[^/]+$/;

const WAYS: readonly Way[] = [
  { at: MEMBER, what: 'left out', to: () => undefined },
  // Another scheme for a header that carries the token.
  { at: MEMBER, what: 'other', to: (value) => (typeof value === 'string' ? `Other ${value}` : 'other') },
  { at: /\/method$/, what: 'other', to: () => 'PUT' },
  { at: /\/url$/, what: 'wrong host', to: otherHost },
  { at: /\/hosts$/, what: 'wrong host', to: () => ['wrong.example'] },
  { at: /^placement$/, what: 'wrong host', to: (value) => changed(value, { baseUrl: 'https://wrong.example' }) },
  { at: /\/reads\/[^/]+$/, what: 'other path', to: () => ({ in: 'body', path: ['other'] }) },
  { at: /^lifetime\/0$/, what: 'other unit', to: otherUnit },
  { at: /\/basic$/, what: 'left out', to: () => undefined },
  {
    at: /\/basic$/,
    what: 'other encoding',
    to: (value) => changed(value, { formEncoded: 'formEncoded' in Object(value) ? undefined : true }),
  },
  { at: /\/xml$/, what: 'an element left out', to: (value) => String(value).replace(/<(\w+)>[^<]*<\/\1>/, '') },
  { at: /\/answer$/, what: 'other', to: (value) => (value === 'xml' ? 'json' : value) },
  { at: /\/certificate$/, what: 'left out', to: () => undefined },
  { at: /^renewal$/, what: 'left out', to: () => undefined },
  { at: /^derived\/[^/]+\/base64$/, what: 'other', to: (value) => `Other ${value}` },
  { at: /^derived\/[^/]+\/of$/, what: 'other', to: (value) => `Other ${value}` },
  { at: /^derived\/[^/]+\/time$/, what: 'other', to: () => 'seconds' },
  { at: /^derived\/[^/]+$/, what: 'fixed', to: (value) => ('random' in Object(value) ? { text: 'fixed' } : value) },
  { at: /^derived\/[^/]+\/as$/, what: 'other', to: () => 'hex' },
  { at: /\/jwt\/alg$/, what: 'other', to: (value) => String(value).replace('256', '512') },
  { at: /\/jwt\/lifeSeconds$/, what: 'other', to: () => 7200 },
  { at: /\/jwt\/keyAs$/, what: 'other', to: () => 'utf8' },
];

/** Every way in which a provider can be spoiled, one at a time. */
export function spoil(provider: Provider): readonly Spoiled[] {
  return membersIn(provider).flatMap(({ path, value }) => {
    const at = path.join('/');
    const spoils = WAYS.filter((way) => way.at.test(at)).map(({ what, to }) => ({
      what: `${at}: ${what}`,
      to: to(value),
    }));
    return spoils
      .filter(({ to }) => JSON.stringify(to) !== JSON.stringify(value))
      .map(({ what, to }) => ({ what, provider: JSON.parse(JSON.stringify(replaced(provider, path, to))) }));
  });
}

interface Member {
  readonly path: readonly string[];
  readonly value: unknown;
}

function membersIn(value: unknown, path: readonly string[] = []): readonly Member[] {
  if (typeof value !== 'object' || value === null) return [];
  const members = Object.entries(value).map(([name, each]) => ({ path: [...path, name], value: each }));
  return members.flatMap((member) => [member, ...membersIn(member.value, member.path)]);
}

function replaced(value: unknown, [name, ...rest]: readonly string[], to: unknown): unknown {
  if (name === undefined) return to;
  const inner = replaced(Object(value)[name], rest, to);
  return Array.isArray(value) ? value.with(Number(name), inner) : changed(value, { [name]: inner });
}

/** Members that are undefined go with the next JSON. */
function changed(value: unknown, members: Readonly<Record<string, unknown>>): unknown {
  return { ...Object(value), ...members };
}

function otherHost(url: unknown): string {
  const text = String(url);
  return text.startsWith('https://') ? text.replace('https://', 'https://wrong.') : `https://wrong.example${text}`;
}

function otherUnit(end: unknown): unknown {
  const { as } = Object(end);
  return as === undefined ? { seconds: 77 } : changed(end, { as: as === 'minutes' ? 'seconds' : 'minutes' });
}

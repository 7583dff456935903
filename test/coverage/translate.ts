import {
  type Derived,
  type End,
  type Provider,
  type Renewal,
  type SecretField,
  type Setting,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
  type Source,
  type Step,
} from '../../functions/core/slot/provider.ts';
import { isJsonObject, type JsonValue } from '../../functions/core/words/json.ts';
import {
  ANSWERED_HOST,
  addressOf,
  FIELDS,
  homeOf,
  isInHost,
  madeTokenOf,
  NAMED,
  type Need,
  type NeededStep,
  optionalNames,
  REFRESH_MEMBER,
  UNSAID_SECONDS,
  WHOAMI_PATH,
} from './need.ts';

/** A need that no provider can say; `message` is the reason. */
export class NotCovered extends Error {
  override readonly name = 'NotCovered';
}

const RESERVED = new Set(['token', 'subject', 'baseUrl']);
const HOSTS = [`*.${ANSWERED_HOST}`];
const UNITS = { in: 'seconds', 'in-ms': 'milliseconds', at: 'date' } as const;
const ASSERTION_SECONDS = 300;
const PEM = { kind: 'pem' } as const;

/** The name in a provider of what a need names. */
export function nameIn(name: string): string {
  return RESERVED.has(name) ? `${name}_` : name;
}

/** Says a need as a provider; throws `NotCovered`. */
export function translate(need: Need): Provider {
  if (need.perRequestSignature) throw new NotCovered('a signature over each API request');
  const { use, token, computed, expiry } = need;
  const home = homeOf(need);
  const address = addressOf(need);
  const made = madeTokenOf(need);
  const optional = optionalNames(need);
  const isXml = need.steps.some(({ body }) => body?.as === 'xml');
  const secretFields: Record<string, SecretField> = {};
  const settings: Record<string, Setting> = {};
  /** The values to read from each answer. The answer with the API's address is last. */
  const reads: Record<string, Source>[] = [...need.steps, need.whoami].map(() => ({}));
  const last = reads[need.steps.length - 1] ?? {};

  if (address !== undefined) read(address.step, address.name, [address.name]);
  if (token.in !== 'self') last['token'] = token;
  if ('path' in expiry) last['end'] = { in: 'body', path: expiry.path };
  const answered = { ...last };
  const derived = Object.assign({}, ...Object.entries(computed).sort(jwtsLast).map(derive));
  const steps = need.steps.map(
    (step, index): Step => ({
      ...ofSender(step),
      query: texts(step.query),
      ...bodyOf(step),
      ...(isXml ? { answer: 'xml' } : token.in === 'text' ? { answer: 'text' } : {}),
      reads: reads[index] ?? {},
    }),
  );
  if (need.whoami) {
    const headers = texts({ authorization: use.headers['authorization'] ?? '' });
    steps.push({ method: 'GET', url: WHOAMI_PATH, headers, reads: reads.at(-1) ?? {} });
  }
  const age = expiry.how === 'fixed' ? expiry.seconds : expiry.how === 'none' ? UNSAID_SECONDS : undefined;
  return {
    ...(age !== undefined && { defaults: { maxTokenAgeSeconds: age } }),
    derived,
    logins: { system: steps },
    placement: {
      headers: texts(use.headers),
      query: texts(use.query),
      ...(use.base.replace(/\/$/, '') !== home && { baseUrl: text(behindHome(use.base)) }),
      ...(address !== undefined && { hosts: HOSTS }),
    },
    lifetime: endsOf(),
    ...(need.refresh && { renewal: renewalOf() }),
    secretFields,
    settings,
  };

  /** A text with the provider's names, each declared where it is first used. */
  function text(template: string): string {
    return template.replace(new RegExp(`${NAMED.source}|\\{`, 'g'), (whole, kind?: string, name = '') => {
      if (whole === '{') return '{{';
      if (kind === undefined || name === made) return '{token}';
      const may = optional.includes(name) ? ({ optional: true } as const) : {};
      if (kind === 's') secretFields[nameIn(name)] ??= may;
      if (kind === 'c' && name !== address?.name) {
        settings[nameIn(name)] ??= { kind: isInHost(need, name) ? 'host' : 'text', ...may };
      }
      return `{${kind === 'n' ? readEarlier(name) : nameIn(name)}}`;
    });
  }

  function readEarlier(named: string): string {
    const [step = '', ...path] = named.split(/[:.]/);
    const name = path.join('_') === address?.name ? address.name : `answer${step}_${path.join('_')}`;
    read(Number(step), name, path);
    return name;
  }

  function read(step: number, name: string, path: readonly string[]): void {
    Object.assign(reads[step - 1] ?? {}, { [name]: { in: 'body', path } });
  }

  function texts(members: Readonly<Record<string, JsonValue>>): Record<string, string> {
    return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, text(String(value))]));
  }

  function tree(value: JsonValue): JsonValue {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(tree);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, tree(each)]));
  }

  /** XML of a tree, in which a member that begins with `$` is an attribute. */
  function xml(value: JsonValue): string {
    if (!isJsonObject(value)) return text(String(value).replace(/[<&]/g, (each) => `&#${each.charCodeAt(0)};`));
    const elements = Object.entries(value).filter(([name]) => !name.startsWith('$'));
    return elements.map(([name, inner]) => `<${name}${attributesOf(inner)}>${xml(inner)}</${name}>`).join('');
  }

  function attributesOf(value: JsonValue): string {
    const attributes = Object.entries(isJsonObject(value) ? value : {}).filter(([name]) => name.startsWith('$'));
    return attributes.map(([name, said]) => ` ${name.slice(1)}="${xml(said)}"`).join('');
  }

  function bodyOf({ body }: NeededStep): Pick<Step, 'form' | 'json' | 'xml'> {
    if (body === undefined) return {};
    if (body.as === 'form') return { form: texts(body.tree) };
    return body.as === 'json' ? { json: tree(body.tree) } : { xml: xml(body.tree) };
  }

  function behindHome(url: string): string {
    return url.startsWith(`${home}/`) ? url.slice(home.length) : url;
  }

  /** Builds the target and client authentication of a request, the same for a login and a refresh. */
  function ofSender({ method, url, headers, basic, formEncodedBasic, mtls }: NeededStep): Step {
    const said = behindHome(url);
    const { certificate, certificateKey } = FIELDS;
    if (mtls) Object.assign(secretFields, { [certificate]: PEM, [certificateKey]: PEM });
    const [user = '', password = ''] = basic?.map(text) ?? [];
    return {
      method,
      url: text(said),
      ...(said.startsWith('{n:') && { hosts: HOSTS }),
      headers: texts(headers),
      ...(basic && { basic: { user, password, ...(formEncodedBasic && { formEncoded: true }) } }),
      ...(mtls && { certificate: { cert: `{${certificate}}`, key: `{${certificateKey}}` } }),
    };
  }

  function endsOf(): readonly End[] {
    if (expiry.how === 'fixed') return [{ seconds: expiry.seconds }];
    return 'path' in expiry
      ? [{ value: 'end', as: UNITS[expiry.how] }]
      : [{ jwt: 'token' }, { seconds: UNSAID_SECONDS }];
  }

  function renewalOf(): Renewal {
    const [step] = need.steps.slice(-1);
    if (step === undefined) throw new NotCovered('a refresh of what no login gave');
    const base = ofSender(step);
    if (need.refreshIsToken) {
      const headers = { ...base.headers, authorization: 'Bearer {token}' };
      return { refresh: [{ ...base, headers, reads: answered }] };
    }
    last['refresh'] = { in: 'body', path: [...(token.in === 'body' ? token.path.slice(0, -1) : []), REFRESH_MEMBER] };
    const members = { grant_type: 'refresh_token', refresh_token: '{refresh}' };
    return { refresh: [{ ...base, [step.body?.as ?? 'form']: members, reads: answered }] };
  }

  function derive([computedName, how]: readonly [string, string]): Record<string, Derived> {
    const name = computedName === made ? 'token' : nameIn(computedName);
    const [, pair] = /^base64 (.+)$/.exec(how) ?? [];
    if (pair !== undefined) return { [name]: { base64: text(pair) } };
    const alg = SIGNING_ALGORITHMS.find((each) => how === `jwt ${each}`);
    if (alg !== undefined) return { [name]: jwt(alg) };
    switch (how) {
      case 'time':
        return { [name]: { time: 'iso' } };
      case 'random':
        return { [name]: { random: 'uuid' } };
      case 'sha256 of the public key':
        return { [name]: { publicKeyOf: `{${FIELDS.privateKey}}`, as: 'base64' } };
      case 'key split at the colon, hex':
        // The halves are two fields of the secret.
        return {};
      case 'WSSE digest':
        return wsse(name);
      default:
        throw new NotCovered(`a value computed otherwise: ${how}`);
    }
  }

  function jwt(alg: SigningAlgorithm): Derived {
    const isShared = alg.startsWith('HS');
    const key = isShared ? FIELDS.sharedKey : FIELDS.privateKey;
    Object.assign(secretFields, { [FIELDS.issuer]: {}, [FIELDS.keyId]: {}, [key]: isShared ? {} : PEM });
    const print = Object.keys(computed).find((name) => computed[name] === 'sha256 of the public key');
    const iss = `{${FIELDS.issuer}}${print === undefined ? '' : `.SHA256:{${nameIn(print)}}`}`;
    const isHex = Object.values(computed).some((how) => how.endsWith(', hex'));
    const lifeSeconds = made !== undefined && expiry.how === 'fixed' ? expiry.seconds : ASSERTION_SECONDS;
    const said = { header: { kid: `{${FIELDS.keyId}}` }, claims: { iss, aud: '{baseUrl}' } };
    return { jwt: { alg, key: `{${key}}`, ...(isHex && { keyAs: 'hex' }), ...said, lifeSeconds } };
  }

  function wsse(name: string): Record<string, Derived> {
    const { user, password } = FIELDS;
    Object.assign(secretFields, { [user]: {}, [password]: {} });
    const said = `UsernameToken Username="{${user}}", PasswordDigest="{digest}", Nonce="{nonce}", Created="{created}"`;
    return {
      nonce: { random: 'hex' },
      created: { time: 'iso' },
      digest: { digest: 'sha1', of: `{nonce}{created}{${password}}`, as: 'base64' },
      [name]: { text: said },
    };
  }
}

/** A JWT may name what else is computed. */
function jwtsLast([, a]: readonly [string, string], [, b]: readonly [string, string]): number {
  return Number(a.startsWith('jwt')) - Number(b.startsWith('jwt'));
}

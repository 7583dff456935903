import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { Http } from '../../functions/http/port.ts';
import { type Answer, type Exchange, NOW } from './facts.ts';
import { type Keys, provingKey, type Values } from './given.ts';
import { FIELDS, type Need, UNSAID_SECONDS } from './need.ts';
import { type Parts, partsOf } from './parts.ts';

/** An upstream that expects what the need says, request by request, and writes down every difference. */
export function createFakeUpstream(need: Need, home: string, values: Values, keys: Keys) {
  const { computed, expiry } = need;
  const differences: string[] = [];
  const due: { readonly what: string; readonly request: Parts; readonly answer: Answer }[] = [];
  const uuids = new Set<string>();

  const http: Http = {
    async send(request) {
      const next = due.shift();
      if (next === undefined) differences.push('a request too many');
      else await compare(next.what, next.request, partsOf(request));
      const { headers = {}, body } = next?.answer ?? { body: '' };
      return { kind: 'response', status: next === undefined ? 404 : 200, headers, body: Buffer.from(body) };
    },
  };

  return {
    http,
    compare,
    /** Everything that is not as the need says, so far. */
    differences: () => [...differences, ...due.map(({ what }) => `${what} was not sent`)],
    expect: (what: string, chain: readonly Exchange[]) =>
      due.push(...chain.map(([request, answer]) => ({ what, request, answer }))),
    /** The broker's own chance, known again in what is made of it. */
    uuid(): string {
      const uuid = `00000000-0000-4000-8000-${String(uuids.size).padStart(12, '0')}`;
      uuids.add(uuid);
      return uuid;
    },
  };

  async function compare(what: string, wanted: Parts, got: Parts): Promise<void> {
    for (const name of Object.keys({ ...wanted, ...got })) {
      const [right, given] = [wanted[name], got[name]];
      if (right === undefined || given === undefined) {
        differences.push(`${what}: ${name} is ${given === undefined ? 'missing' : 'too much'}`);
      } else if (!(await matches(right, given))) differences.push(`${what}: ${name} is ${given}, not ${right}`);
    }
  }

  async function matches(wanted: string, got: string): Promise<boolean> {
    const [before = '', name, after = ''] = wanted.split(/\{d:(\w+)\}/);
    if (name === undefined) return wanted === got;
    const isAround = got.startsWith(before) && got.endsWith(after);
    return isAround && isComputed(computed[name] ?? '', got.slice(before.length, got.length - after.length));
  }

  function isComputed(how: string, text: string): boolean | Promise<boolean> {
    if (how === 'random') return uuids.has(text);
    return how === 'WSSE digest' ? isWsse(text) : isJwt(how.replace('jwt ', ''), text);
  }

  /** WS-Security UsernameToken Profile 1.1.1 §3.1, in the one line that HTTP APIs take. */
  function isWsse(text: string): boolean {
    const [, nonce = '', created = ''] = /Nonce="(\w+)", Created="([\w:.-]+)"$/.exec(text) ?? [];
    const digest = createHash('sha1')
      .update(nonce + created + fieldOf('password'))
      .digest('base64');
    const said = `UsernameToken Username="${fieldOf('user')}", PasswordDigest="${digest}"`;
    const isFresh = [...uuids].some((uuid) => uuid.replaceAll('-', '') === nonce);
    return (
      isFresh && created === new Date(NOW).toISOString() && text === `${said}, Nonce="${nonce}", Created="${created}"`
    );
  }

  async function isJwt(alg: string, text: string): Promise<boolean> {
    const hows = Object.values(computed);
    const spki = createPublicKey(createPrivateKey(keys.rsa)).export({ type: 'spki', format: 'der' });
    const print = hows.includes('sha256 of the public key') && createHash('sha256').update(spki).digest('base64');
    const issuer = `${fieldOf('issuer')}${print === false ? '' : `.SHA256:${print}`}`;
    const options = { algorithms: [alg], issuer, audience: home, currentDate: new Date(NOW), maxTokenAge: 0 };
    const isHex = hows.some((how) => how.endsWith(', hex'));
    const verified = await jwtVerify(text, provingKey(alg, keys, isHex), options).catch(() => undefined);
    const life = (verified?.payload.exp ?? 0) - NOW / 1000;
    const isOfLife =
      need.token.in === 'self' && expiry.how === 'fixed' ? life === expiry.seconds : life <= UNSAID_SECONDS;
    return verified?.protectedHeader['kid'] === fieldOf('keyId') && isOfLife;
  }

  function fieldOf(field: keyof typeof FIELDS): string {
    return values.get(`s:${FIELDS[field]}`) ?? '';
  }
}

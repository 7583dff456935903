import type { Upstream } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import { SYSTEM } from '../../core/slot/slot.ts';
import { BrokerError } from '../../core/words/errors.ts';
import type { Clock } from '../../core/words/platform.ts';
import type { Http } from '../../http/port.ts';
import { type Provider, slidePathOf } from '../provider.ts';
import { providerOf } from '../registry.ts';
import { readCredential } from './credential.ts';
import { failure, transportFailure } from './failures.ts';
import { judgeLogin } from './login-answer.ts';
import { loginRequest, slideRequest } from './login-request.ts';
import { judgeSlide } from './slide-answer.ts';

/** What the engine works with; `providerNamed` is the table of providers where it is left out. */
export interface UpstreamParts {
  readonly http: Http;
  readonly clock: Pick<Clock, 'now'>;
  readonly providerNamed?: (name: string) => Provider | undefined;
}

/**
 * Runs any provider: each attempt is at most one request, never repeated and never probing (C3), and whatever the
 * upstream answers comes back as a value. Throws `internal` only for a connection that no provider serves.
 */
export function createUpstream({ http, clock, providerNamed = providerOf }: UpstreamParts): Upstream {
  function providerFor(connection: Connection): Provider {
    const provider = providerNamed(connection.provider);
    if (provider === undefined) throw new BrokerError('internal', `The connection ${connection.name} has no provider.`);
    return provider;
  }

  return {
    async login({ connection, subject, secret, timeoutMs }) {
      const provider = providerFor(connection);
      const login = provider.logins[subject === SYSTEM ? 'system' : 'staff'];
      if (login === undefined) {
        throw new BrokerError('internal', `The connection ${connection.name} does not serve this kind of subject.`);
      }
      const credential = readCredential(provider, secret);
      if (credential.kind === 'problem') return secretInvalid(connection, credential.problem);
      const built = loginRequest({ login, connection, fields: credential.fields, subject });
      if (built.kind === 'problem') return secretInvalid(connection, built.problem);

      const requestStartedAt = clock.now();
      const answer = await http.send({ ...built.request, timeoutMs });
      if (answer.kind === 'failure') return transportFailure(answer, timeoutMs);
      const credentialTexts = built.texts;
      const now = clock.now();
      const judged = judgeLogin(
        { provider, login, connection, subject, credentialTexts, requestStartedAt, now },
        answer,
      );
      const warning = warningOf(provider, credential.fields);
      return warning === undefined ? judged : { ...judged, warning };
    },

    canSlide(connection) {
      return slidePathOf(providerFor(connection), connection.settings) !== undefined;
    },

    async slide({ connection, token, timeoutMs }) {
      const provider = providerFor(connection);
      const path = slidePathOf(provider, connection.settings);
      if (provider.slide === undefined || path === undefined) {
        throw new BrokerError('internal', `The connection ${connection.name} has nothing to slide with.`);
      }
      const requestStartedAt = clock.now();
      const answer = await http.send({ ...slideRequest(connection, path, token.reveal()), timeoutMs });
      if (answer.kind === 'failure') return transportFailure(answer, timeoutMs);
      const { slide } = provider;
      const now = clock.now();
      return judgeSlide({ provider, slide, connection, current: token, requestStartedAt, now }, answer);
    },
  };
}

/** Names the fields that a server may misread, for the operator's log alone: it says something of the credential. */
function warningOf({ secretFields }: Provider, fields: Readonly<Record<string, string>>): string | undefined {
  const suspects = Object.entries(secretFields).filter(
    ([name, { suspect }]) => suspect !== undefined && fields[name]?.includes(suspect),
  );
  if (suspects.length === 0) return undefined;
  const named = suspects.map(([name, { suspect }]) => `\`${name}\` holds "${suspect}"`).join(', ');
  return `The secret's ${named}. It is sent as it is, and some servers cut it there: should logins be refused, choose another.`;
}

function secretInvalid(connection: Connection, problem: string) {
  return failure(
    'secret_invalid',
    'not_judged',
    `The secret of the connection ${connection.name} ${problem}. Nothing was sent; put a mended version into the secret.`,
  );
}

import { booksConnection } from '../simulation/connections.ts';
import { secretOf } from '../simulation/upstream-accounts.ts';
import { harness } from './harness.ts';

/** A broker before an upstream that ends a grant whose used refresh token comes back, but for a grace period. */
export function rotating({ graceSeconds = 0, settings = {} }: { graceSeconds?: number; settings?: object } = {}) {
  const connection = booksConnection(settings, graceSeconds);
  const made = harness({ connection, instances: 2 });
  const { grants } = made.upstream;
  if (grants === undefined) throw new Error('the upstream has no grants');
  grants.rules.graceMs = graceSeconds * 1000;
  const { keptVault, broker, advance, ledger } = made;
  return {
    ...made,
    grants,
    /** The refresh tokens that were sent, in order. */
    sent: () => ledger.map(({ refreshToken }) => refreshToken),
    keptVersion: () => keptVault.read('token-broker/books/kept').labels['AWSCURRENT'],
    /** The value that the kept secret has now. */
    kept() {
      const { versions, labels } = keptVault.read('token-broker/books/kept');
      const current = versions[labels['AWSCURRENT'] ?? ''];
      return current && JSON.parse(current.value);
    },
    /** Lets a person consent, and puts the new refresh token into the secret. */
    consent: () => broker.rotateSecret(secretOf(grants.consent())),
    /** Lets the token end, and asks for the next. */
    async next() {
      await advance({ hours: 25 });
      return broker.handOut();
    },
  };
}

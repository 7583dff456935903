import type { Ways } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import { canRenew } from '../../core/slot/next-way.ts';
import { keptNames, namesInStep, secretNames } from '../names.ts';

/** Finds the ways in which a connection gets tokens. Without the renewal's path in its settings it cannot renew. */
export function waysOf({ provider, settings }: Pick<Connection, 'provider' | 'settings'>): Ways {
  const { renewal } = provider;
  const keepsClosed = keptNames(provider).closed.length > 0;
  if (renewal === undefined || !canRenew({ provider, settings })) return { keepsClosed };
  const steps = 'slide' in renewal ? [renewal.slide] : renewal.refresh;
  const secret = secretNames(provider);
  const needsSecret = steps.flatMap(namesInStep).some((name) => secret.has(name));
  return { renewal: { source: 'slide' in renewal ? 'slide' : 'refresh', needsSecret }, keepsClosed };
}

import type { Ways } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import { canRenew } from '../../core/slot/next-way.ts';
import { keptNames, namesBehind, namesInStep, secretNames } from '../names.ts';

/**
 * Finds the ways in which a connection gets tokens, and ends them. Without the renewal's path in its settings it cannot
 * renew.
 */
export function waysOf({ provider, settings }: Pick<Connection, 'provider' | 'settings'>): Ways {
  const { renewal, logout } = provider;
  const { open, closed } = keptNames(provider);
  const secret = secretNames(provider);
  const kept = [...open, ...closed];
  const ways: Ways = {
    keepsClosed: closed.length > 0,
    ...(logout !== undefined && {
      logout: {
        needsSecret: namesBehind(namesInStep(logout), provider, kept).some(
          (name) => secret.has(name) && !kept.includes(name),
        ),
      },
    }),
  };
  if (renewal === undefined || !canRenew({ provider, settings })) return ways;
  const steps = 'slide' in renewal ? [renewal.slide] : renewal.refresh;
  const needsSecret = steps.flatMap(namesInStep).some((name) => secret.has(name));
  return { ...ways, renewal: { source: 'slide' in renewal ? 'slide' : 'refresh', needsSecret } };
}

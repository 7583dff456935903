import { secretFieldsOf } from '../providers/provider.ts';
import { providerOf } from '../providers/registry.ts';
import type { Configuration } from './configuration.ts';

/** The fields that each connection's secret must have, by the connection's name. */
export function secretFieldsByConnection({ connections }: Configuration): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.values(connections).map(({ name, provider: providerName }) => {
      const provider = providerOf(providerName);
      return [name, provider === undefined ? [] : secretFieldsOf(provider)];
    }),
  );
}

import { secretFieldsOf as fieldsOf } from '../providers/provider.ts';
import { providerOf } from '../providers/table.ts';
import type { Configuration } from './configuration.ts';

/** The fields that each connection's secret must have, by the connection's name. */
export function secretFieldsOf({ connections }: Configuration): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.values(connections).map(({ name, provider: providerName }) => {
      const provider = providerOf(providerName);
      return [name, provider === undefined ? [] : fieldsOf(provider)];
    }),
  );
}

import { communityWebApi } from './community-web-api.ts';
import { helpmaster } from './helpmaster.ts';
import type { Provider } from './provider.ts';

const presets = { helpmaster, 'community-web-api': communityWebApi } as const satisfies Providers;

/** Providers by the name that a connection's `provider` key gives. */
export type Providers = Readonly<Record<string, Provider>>;

type PresetTable = typeof presets;
/** The type of the table, which tells the compiler the keys that each provider's connections have. */
export interface Presets extends PresetTable {}

/** Every provider, by name. */
export const providers: Providers = presets;

/** The provider of that name, or undefined. */
export function providerOf(name: unknown, among = providers): Provider | undefined {
  return typeof name === 'string' && Object.hasOwn(among, name) ? among[name] : undefined;
}

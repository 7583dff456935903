import { communityWebApi } from './community-web-api.ts';
import { helpmaster } from './helpmaster.ts';
import type { Provider } from './provider.ts';

/** Every provider, by the name that a connection's `provider` key gives. */
export const providers: Readonly<Record<string, Provider>> = {
  helpmaster,
  'community-web-api': communityWebApi,
};

/** The provider of that name, or undefined. */
export function providerOf(name: string): Provider | undefined {
  return Object.hasOwn(providers, name) ? providers[name] : undefined;
}

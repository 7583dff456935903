/** Name of the broker that `granted-app.ts` makes. */
export const GRANTED_BROKER = 'granted';

/** Path of its roles, which is part of the ARN that a policy knows them by. */
export const PATH = '/callers/';

/** The roles that it makes, each for one grant, or for none. */
export type GrantedRole =
  | 'system'
  | 'one'
  | 'all'
  | 'tagged'
  | 'quiet'
  | 'proxying'
  | 'operating'
  | 'operating-all'
  | 'none'
  | 'broad'
  | 'named-broad'
  | 'named-none';

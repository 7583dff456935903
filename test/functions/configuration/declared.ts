import { resolveConnections } from '../../../functions/configuration/check.ts';
import type { Configuration } from '../../../functions/configuration/configuration.ts';
import { ConfigurationError, type Problem } from '../../../functions/configuration/errors.ts';
import type { Connection } from '../../../functions/core/slot/connection.ts';

/** The least that a connection of either kind declares. */
export const helpdesk = { provider: 'helpmaster', baseUrl: 'https://helpmaster.example.com/api' } as const;
export const wfm = { provider: 'community-web-api', baseUrl: 'https://wfm.example.com/CommunityWebApi/api' } as const;

/** Resolves one connection, which must be without fault. */
export function connectionOf(declared: object): Connection {
  const connection = resolveConnections({ connections: { it: declared } }).connections['it'];
  if (connection === undefined) {
    throw new Error('was resolved to nothing');
  }
  return connection;
}

/** Resolves what must be without fault and gives its warnings. */
export function warningsOf(declared: object): Configuration['warnings'] {
  return resolveConnections({ connections: { it: declared } }).warnings;
}

/** The error for what must be refused. */
export function refusalOf(input: unknown): ConfigurationError {
  try {
    resolveConnections(input);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error;
    }
    throw error;
  }
  throw new Error('was not refused');
}

/** The problems of one connection, with paths relative to it. */
export function problemsOf(declared: unknown): Problem[] {
  return refusalOf({ connections: { it: declared } }).problems.map(({ path, message }) => ({
    path: path.replace(/^connections\.it\.?/, ''),
    message,
  }));
}

/** Their paths alone. */
export function pathsOf(declared: unknown): string[] {
  return problemsOf(declared).map(({ path }) => path);
}

import * as z from 'zod';
import type { Connection } from '../core/slot/connection.ts';
import type { Configuration } from './configuration.ts';
import { ConfigurationError, type Problem, renderPath } from './configuration-error.ts';
import { checkConnection } from './connection.ts';
import { NAME_PATTERN } from './fields.ts';
import { isolationProblems } from './rules.ts';
import { checkShape, isRecord, protoProblems, strictObject } from './shape.ts';
import { checkTrust } from './trust.ts';

const rootSchema = strictObject(
  {
    connections: z
      .custom<Readonly<Record<string, unknown>>>(isRecord, 'must be an object with a connection under each name')
      .refine((connections) => Object.keys(connections).length > 0, 'must declare at least one connection'),
    strictAudit: z.boolean('must be true or false').default(false),
    trust: z.array(z.unknown(), 'must be a list of trust entries').default([]),
  },
  'a configuration',
);

/**
 * Turns the operator's declaration into a configuration with every default filled in. Takes anything, and throws
 * `ConfigurationError` with everything that is wrong at once, each with its path and the remedy.
 */
export function resolveConnections(input: unknown): Configuration {
  const { valid, problems: rootProblems } = checkShape(rootSchema, input, []);
  const names = Object.keys(valid.connections ?? {}).filter((name) => name !== '__proto__');
  const checked = names.map((name) => checkConnection(name, valid.connections?.[name]));
  const connections = checked.flatMap(({ connection }) => connection ?? []);
  const trust = checkTrust(valid.trust ?? [], new Set(names), new Map(connections.map((each) => [each.name, each])));

  const problems = [
    ...protoProblems(input),
    ...rootProblems,
    ...names.flatMap(nameProblems),
    ...checked.flatMap((each) => each.problems),
    ...isolationProblems(connections),
    ...trust.problems,
  ];
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return {
    connections: byName(connections),
    strictAudit: valid.strictAudit ?? false,
    trust: trust.trust,
    madeSecrets: checked.flatMap(({ connection, makesSecret }) => (connection && makesSecret ? [connection.name] : [])),
    warnings: [...checked.flatMap(({ warnings }) => warnings), ...trust.warnings],
  };
}

function nameProblems(name: string): Problem[] {
  return NAME_PATTERN.test(name)
    ? []
    : [
        {
          path: renderPath(['connections', name]),
          message:
            'is not a name for a connection: use lower-case letters, digits, `_` and `-`, at most 63 of them, starting with a letter or digit',
        },
      ];
}

function byName(connections: readonly Connection[]): Record<string, Connection> {
  const named: Record<string, Connection> = Object.create(null);
  for (const connection of connections) {
    named[connection.name] = connection;
  }
  return named;
}

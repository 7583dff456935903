import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Environment } from '../adapters/aws/client.ts';
import { parseConfiguration } from '../configuration/bundle.ts';
import type { Configuration } from '../configuration/configuration.ts';
import type { Connection } from '../core/slot/connection.ts';

/** The names of the variables that the functions read; what deploys them sets them. */
export const VARIABLES = {
  /** Name of this broker: the namespace of its metrics and part of every encryption context. */
  broker: 'TOKEN_BROKER_NAME',
  table: 'TOKEN_BROKER_TABLE',
  auditTable: 'TOKEN_BROKER_AUDIT_TABLE',
  /** Id, alias or ARN of the KMS key. */
  key: 'TOKEN_BROKER_KEY',
  /** Prefix of the names of `mint` functions; the isolation group follows. */
  mintPrefix: 'TOKEN_BROKER_MINT_PREFIX',
  /** The isolation group that a `mint` function serves. */
  isolation: 'TOKEN_BROKER_ISOLATION',
  /** Most requests that wait for tokens of one connection. Absent: any number. */
  waits: 'TOKEN_BROKER_WAITS',
  /** Address of the API, for the canary, and the slot that it asks for. */
  url: 'TOKEN_BROKER_URL',
  canaryConnection: 'TOKEN_BROKER_CANARY_CONNECTION',
  canarySubject: 'TOKEN_BROKER_CANARY_SUBJECT',
  /** Path of the configuration; by default the file beside the function's code. */
  configuration: 'TOKEN_BROKER_CONFIGURATION',
} as const;

/** The file in a function's asset that holds the configuration. */
export const CONFIGURATION_FILE = 'configuration.json';

/** Longest name of a function that Lambda accepts. */
const LONGEST_NAME = 64;
const HASH_DIGITS = 12;

/** Reads a variable that the function cannot do without; throws an error that names it. */
export function readRequired(environment: Environment, variable: string): string {
  const value = environment[variable];
  if (value === undefined || value === '') {
    throw new Error(`The environment variable ${variable} is not set. What deploys this function must set it.`);
  }
  return value;
}

/** Reads the most requests that may wait for tokens of one connection; undefined where there is no limit. */
export function readMostWaits({ [VARIABLES.waits]: most }: Environment): number | undefined {
  return most === undefined ? undefined : Number(most);
}

/** Reads the configuration that travels with the function. */
export function readConfiguration(environment: Environment): Configuration {
  const path = environment[VARIABLES.configuration] ?? new URL(CONFIGURATION_FILE, import.meta.url);
  return parseConfiguration(readFileSync(path, 'utf8'));
}

/**
 * Builds the name of a function of an isolation group: the deployment's prefix for such functions and the group. If that
 * is longer than the 64 characters that Lambda takes, 12 hex digits of the whole name's SHA-256 replace its end, so that
 * no two groups share a function. The code that deploys the functions and the code that invokes them both call this.
 */
export function groupFunctionName(prefix: string, group: string): string {
  const name = `${prefix}${group}`;
  if (name.length <= LONGEST_NAME) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${name.slice(0, LONGEST_NAME - HASH_DIGITS - 1)}-${hash}`;
}

/** Gives the names of the `mint` functions by connection, with the prefix in the environment. */
export function mintFunctionNames(environment: Environment): (connection: Connection) => string {
  const prefix = readRequired(environment, VARIABLES.mintPrefix);
  return ({ isolation }) => groupFunctionName(prefix, isolation);
}

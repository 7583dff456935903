import * as z from 'zod';
import { lifetimeSecondsOf } from '../core/slot/connection.ts';
import type { Provider, ProviderDefaults, Setting } from '../core/slot/provider.ts';
import { describeUser, isUserSubject, userKeyOf } from '../core/slot/slot.ts';
import { isRotating } from '../providers/names.ts';
import {
  awsRegion,
  certificate,
  flag,
  fraction,
  groupName,
  oneOf,
  proxyHeaders,
  proxyMethods,
  proxyPaths,
  seconds,
  secretName,
  securityGroupIds,
  settingHost,
  settingPath,
  settingText,
  text,
  users,
  vpcId,
} from './fields.ts';
import { findOriginFault, isPlainHttp, PLAIN_HTTP } from './origins.ts';
import { findProxyReason, placesNothing } from './provider-rules.ts';
import { rule, strictObject } from './shape.ts';

/** Allowed skew between clocks, in seconds: what a token must have left beyond `minTtlSeconds`. */
const SKEW_SECONDS = 5;

const subjects = z
  .object({
    /** The connection's own identity. */
    system: flag.optional(),
  })
  // The upstream's users, under the key that the provider has for them.
  .catchall(users.optional());

const proxy = strictObject(
  {
    /** HTTP methods that may be forwarded, in upper case. */
    methods: proxyMethods.default(['GET', 'HEAD']),
    /** Prefixes of the paths that may be forwarded; `/` is every path. */
    paths: proxyPaths.default(['/']),
    /** Further request headers to forward, in lower case. */
    headers: proxyHeaders.default([]),
    /** Time limit for one forwarded call in seconds, 1 to 12. Default 8. */
    timeoutSeconds: seconds(1, 12).default(8),
  },
  '`proxy`',
);

/** The keys of a connection beside `provider` and the provider's settings, with the defaults that need no other key. */
export const sharedKeys = {
  /** URL of the upstream: https, or http on loopback. Paths of the settings are appended to its path. */
  baseUrl: text('an absolute URL such as https://api.example.com/v1', findOriginFault),
  /** Allow plain http beyond loopback, for an upstream in a private network. Default false. */
  allowPlainHttp: flag.default(false),
  /** Name or ARN of the secret, without a version; never its value. Default: an empty secret that the stack creates. */
  secret: secretName.exactOptional(),
  /** Subjects that the connection serves. Default: all that the provider serves. */
  subjects: subjects.exactOptional(),
  /** Seconds that a token must have left to be handed out. Default: the provider's, else 60; may be 0. */
  minTtlSeconds: seconds(0).default(60),
  /** Fraction of a token's life after which it is refreshed. Default: the provider's, else 0.75. */
  refreshAfter: fraction.default(0.75),
  /** Seconds after a slot's last hand-out while the schedule refreshes it. Default: 3600, or one life if longer. */
  idleSeconds: seconds(1).exactOptional(),
  /** Longest life of a token in seconds, also for one without an expiry. Default 86400. */
  maxTokenAgeSeconds: seconds(1).default(86_400),
  /** Seconds for which a warm instance hands out from memory before it reads the store again. Default 30; may be 0. */
  memorySeconds: seconds(0).default(30),
  /** Time limit for one upstream call in seconds, 1 to 12. Default 6. */
  timeoutSeconds: seconds(1, 12).default(6),
  /** Age in seconds below which a caller's report renews no token. Default: the provider's, else 60; may be 0. */
  renewalCooldownSeconds: seconds(0).default(60),
  /** True where an older token stays valid when a newer one is issued (C18). Default true; false needs `proxy`. */
  tokensOverlap: flag.default(true),
  /** Calls that the proxy may forward. Default: none. */
  proxy: proxy.exactOptional(),
  /** Group of connections that share their functions. Default: the connection alone. */
  isolation: groupName.exactOptional(),
  /** Region of the one broker that is deployed with the connection. Default: none, and each logs in for itself. */
  homeRegion: awsRegion.exactOptional(),
  /** Id of the VPC in which the connection's functions run, once deployed. */
  vpc: vpcId.exactOptional(),
  /** Ids of those functions' security groups, once deployed; needs `vpc`. */
  securityGroups: securityGroupIds.exactOptional(),
  /** PEM text of the CA certificate to trust for this upstream. Default: the public authorities. */
  caCertificate: certificate.exactOptional(),
  /** Life of a token in seconds. Only for providers that have a default for it. */
  lifetimeSeconds: seconds(1).exactOptional(),
  /** Longest chain of slides in seconds. Only for providers with slides; default the provider's, else 43200 (C20). */
  maxSessionSeconds: seconds(1).exactOptional(),
};

/** Keys that a connection has only where its provider has a default for them. */
const keysByProvider = ['lifetimeSeconds', 'maxSessionSeconds'] as const;
/** See `keysByProvider`. */
export type KeyByProvider = (typeof keysByProvider)[number];

/** The checked keys of a connection, without the provider's settings. */
export type CheckedDeclaration = z.output<ReturnType<typeof createConnectionSchema>>;

/** Longest chain of renewals, where the provider does not say (C20). */
const MAX_SESSION_SECONDS = 43_200;

/** Shortest time between two tokens of a credential that rotates: what Secrets Manager bears of new versions. */
const ROTATING_SECONDS = 600;
/** Shortest life of a token of a credential that rotates. */
const SHORTEST_ROTATING_LIFE = 900;

/** A provider's defaults of connection keys, with those that follow from its data. */
export function defaultsOf(provider: Provider): ProviderDefaults {
  const { defaults = {}, limits = {}, renewal } = provider;
  const { tokens, reissues } = limits;
  const perToken = tokens === undefined ? 0 : Math.ceil(tokens.perSeconds / tokens.count);
  const cooldown = Math.max(perToken, isRotating(provider) ? ROTATING_SECONDS : 0);
  return {
    ...(renewal !== undefined && { maxSessionSeconds: MAX_SESSION_SECONDS }),
    // Another login before the token's end gives the same token.
    ...(reissues === true && { minTtlSeconds: 0 }),
    ...(cooldown > 0 && { renewalCooldownSeconds: cooldown }),
    ...defaults,
  };
}

/** The names of all keys that a connection of this provider may have. */
export function keysOf(provider: Provider | undefined): readonly string[] {
  const absent = keysByProvider.filter((key) => provider === undefined || defaultsOf(provider)[key] === undefined);
  const shared = Object.keys(sharedKeys).filter((key) => !absent.some((name) => name === key));
  return ['provider', ...shared, ...Object.keys(provider?.settings ?? {})];
}

/** Creates the schema of a provider's settings, by their names and with their defaults. */
export function createSettingsSchema(provider: Provider | undefined) {
  const settings = Object.entries(provider?.settings ?? {});
  return z.object(Object.fromEntries(settings.map(([key, setting]) => [key, createSettingSchema(setting)])));
}

function createSettingSchema(setting: Setting) {
  const schema = schemaOfKind(setting);
  if (setting.default !== undefined) return schema.default(setting.default);
  return setting.optional === true ? schema.exactOptional() : schema;
}

const LIST_RULE = 'must be a list of texts, at least one';

function schemaOfKind({ kind, values = [], separator = ' ' }: Setting): z.ZodType<string> {
  switch (kind) {
    case 'path':
      return settingPath;
    case 'host':
      return settingHost;
    case 'text':
      return settingText;
    case 'enum':
      return oneOf(values);
    case 'list':
      return z
        .union([settingText, z.array(settingText).min(1, LIST_RULE)], LIST_RULE)
        .transform((value) => (typeof value === 'string' ? value : value.join(separator)));
  }
}

/**
 * Creates the schema of a connection's keys beside the provider's settings, with the rules across them. `providers` are
 * the names of all there are; `settings` are checked, and undefined where one is faulty.
 */
export function createConnectionSchema(
  providers: readonly string[],
  provider: Provider | undefined,
  settings: Readonly<Record<string, string>> | undefined,
) {
  return z.object({ provider: oneOf(providers), ...sharedKeys }).check(
    rule(['baseUrl'], ({ baseUrl, allowPlainHttp }, report) => {
      const remedy = 'use https, or declare `allowPlainHttp: true` for an upstream in a private network';
      if (isPlainHttp(baseUrl) && allowPlainHttp !== true) report(`${PLAIN_HTTP}: ${remedy}`, 'baseUrl');
    }),
    rule(['provider', 'subjects'], ({ provider: name, subjects: given = {} }, report) => {
      if (provider === undefined) return;
      const { userSubject, logins } = provider;
      const key = userKeyOf(provider);
      for (const other of Object.keys(given)) {
        if (other === 'system' || given[other] === false || (other === key && userSubject !== undefined)) continue;
        const message =
          userSubject === undefined
            ? `is not served by provider ${name}: take it out`
            : `is not a key of \`subjects\`. Its keys: \`system\`, \`${key}\``;
        report(message, 'subjects', other);
      }
      const listed = given[key];
      const servesUsers = userSubject !== undefined && listed !== false;
      if (given.system === true && logins.system === undefined) {
        report(`is not served by provider ${name}: take it out`, 'subjects', 'system');
      }
      if (!(given.system ?? logins.system !== undefined) && !servesUsers) {
        report(
          `leaves no subject to serve: allow \`system\`${userSubject === undefined ? '' : ` or \`${key}\``}`,
          'subjects',
        );
      }
      if (userSubject === undefined || !Array.isArray(listed)) return;
      listed.forEach((subject, index) => {
        if (isUserSubject(userSubject, subject)) return;
        report(`must be ${describeUser(userSubject)}, as text`, 'subjects', key, index);
      });
    }),
    rule([], ({ proxy }, report) => {
      const reason = provider && findProxyReason(provider);
      if (reason !== undefined && proxy === undefined) report(reason, 'provider');
      if (proxy !== undefined && provider !== undefined && placesNothing(provider.placement))
        report('would forward calls without a token: this provider only hands tokens out. Take it out', 'proxy');
    }),
    rule(['tokensOverlap'], ({ tokensOverlap, proxy }, report) => {
      if (!tokensOverlap && proxy === undefined) {
        report(
          'is false, so only the proxy can use this connection (C18), but it has none: declare `proxy`',
          'tokensOverlap',
        );
      }
    }),
    rule(['proxy'], ({ proxy }, report) => {
      proxy?.headers.forEach((header, index) => {
        if (Object.keys(provider?.placement.headers ?? {}).some((placed) => placed.toLowerCase() === header)) {
          report('carries the token itself, which the proxy places: take it out', 'proxy', 'headers', index);
        }
      });
    }),
    rule(['vpc'], ({ vpc, securityGroups }, report) => {
      if (securityGroups !== undefined && vpc === undefined)
        report('needs the `vpc` that they are in', 'securityGroups');
    }),
    rule(['renewalCooldownSeconds', 'refreshAfter', 'lifetimeSeconds', 'maxTokenAgeSeconds'], (times, report) => {
      if (provider === undefined || !isRotating(provider)) return;
      const { renewalCooldownSeconds, refreshAfter } = times;
      const life = lifetimeSecondsOf(times);
      const why = `each token of ${times.provider} brings a new refresh token, and Secrets Manager takes no more than one in ten minutes`;
      if (renewalCooldownSeconds < ROTATING_SECONDS)
        report(`must be ${ROTATING_SECONDS} or more: ${why}`, 'renewalCooldownSeconds');
      const lifeKey = times.lifetimeSeconds === life ? 'lifetimeSeconds' : 'maxTokenAgeSeconds';
      if (life < SHORTEST_ROTATING_LIFE) report(`must be ${SHORTEST_ROTATING_LIFE} or more: ${why}`, lifeKey);
      else if (life * refreshAfter < ROTATING_SECONDS)
        report(`times ${life} must be ${ROTATING_SECONDS} or more: ${why}`, 'refreshAfter');
    }),
    // A token that is due for refresh must still have `minTtlSeconds` and the skew of clocks left, or callers would
    // find none between refresh and end.
    rule(['minTtlSeconds', 'refreshAfter', 'lifetimeSeconds', 'maxTokenAgeSeconds'], (times, report) => {
      const { minTtlSeconds, refreshAfter, lifetimeSeconds } = times;
      const life = lifetimeSecondsOf(times);
      const remaining = life * (1 - refreshAfter);
      const isKnown = provider !== undefined && settings !== undefined;
      if (!isKnown || minTtlSeconds + SKEW_SECONDS < remaining) return;
      // Two keys bound the life. The lower one must be raised.
      const lifeKey = lifetimeSeconds === life ? 'lifetimeSeconds' : 'maxTokenAgeSeconds';
      report(
        `${minTtlSeconds} + ${SKEW_SECONDS} must be less than what a token has left when it is refreshed: ${life} × (1 − ${refreshAfter}) = ${Number(remaining.toFixed(3))}. Lower minTtlSeconds or refreshAfter, or raise ${lifeKey}`,
        'minTtlSeconds',
      );
    }),
  );
}

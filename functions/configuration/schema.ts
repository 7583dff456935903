import * as z from 'zod';
import { isStaffSubject } from '../core/slot/slot.ts';
import type { Provider, Setting } from '../providers/provider.ts';
import { providers } from '../providers/registry.ts';
import {
  certificate,
  flag,
  fraction,
  groupName,
  oneOf,
  proxyPolicy,
  seconds,
  secretName,
  securityGroupIds,
  upstreamPath,
  vpcId,
} from './fields.ts';
import { strictObject } from './shape.ts';

const STAFF_SUBJECT =
  'must be a staff PKID as text, such as "88": a positive integer without leading zeros, at most 2147483647';

const staffSubjects = z
  .custom<boolean | readonly unknown[]>(
    (value) => typeof value === 'boolean' || (Array.isArray(value) && value.length > 0),
    'must be true, false, or a list of staff PKIDs, at least one',
  )
  .transform((value, context): boolean | readonly string[] => {
    if (typeof value === 'boolean') {
      return value;
    }
    return value.flatMap((subject, index) => {
      if (typeof subject === 'string' && isStaffSubject(subject)) {
        return [subject];
      }
      context.addIssue({ code: 'custom', path: [index], message: STAFF_SUBJECT });
      return [];
    });
  });

/** The keys that every connection may have, whatever its provider. Defaults that depend on other keys are not here. */
const sharedShape = {
  provider: oneOf(Object.keys(providers)),
  baseUrl: z.string('must be an absolute URL such as https://api.example.com/v1'),
  allowPlainHttp: flag.default(false),
  secret: secretName.optional(),
  subjects: strictObject({ system: flag.optional(), staff: staffSubjects.optional() }, '`subjects`').optional(),
  minTtlSeconds: seconds(0).default(60),
  refreshAfter: fraction.optional(),
  idleSeconds: seconds(1).optional(),
  maxTokenAgeSeconds: seconds(1).default(86_400),
  memorySeconds: seconds(0).default(30),
  timeoutSeconds: seconds(1, 12).default(6),
  renewalCooldownSeconds: seconds(0).default(60),
  tokensOverlap: flag.default(true),
  proxy: proxyPolicy.optional(),
  isolation: groupName.optional(),
  vpc: vpcId.optional(),
  securityGroups: securityGroupIds.optional(),
  caCertificate: certificate.optional(),
};

/** What the shared keys say, with the defaults that depend on nothing else. */
export type SharedDeclaration = z.infer<z.ZodObject<typeof sharedShape, z.core.$strict>>;

/** What a provider's own keys say: paths and words under `settings`, seconds by themselves. */
export interface OwnDeclaration {
  readonly settings: Readonly<Record<string, string>>;
  readonly lifetimeSeconds?: number;
  readonly maxSessionSeconds?: number;
}

/** The schema of the keys that every connection may have. */
export const sharedSchema = strictObject(sharedShape, 'a connection');

/** Names of the keys that every connection may have. */
export const sharedKeys: readonly string[] = Object.keys(sharedShape);

const ownSecondsKeys = ['lifetimeSeconds', 'maxSessionSeconds'] as const;

/** Names of the keys that connections of this provider have beside the shared ones. */
export function ownKeysOf(provider: Provider): readonly string[] {
  return [...Object.keys(provider.settings), ...ownSecondsKeys.filter((key) => provider.defaults[key] !== undefined)];
}

/** Names of the providers whose connections may have `key`, which is not a shared one. */
export function ownersOf(key: string): readonly string[] {
  return Object.entries(providers).flatMap(([name, provider]) => (ownKeysOf(provider).includes(key) ? [name] : []));
}

/** The schemas of a provider's own keys: its settings with their defaults, and its seconds with theirs. */
export function ownSchemasOf(provider: Provider) {
  const settings = Object.entries(provider.settings).map(([key, setting]) => [key, settingSchema(setting)] as const);
  const ownSeconds = ownSecondsKeys.flatMap((key) => {
    const byDefault = provider.defaults[key];
    return byDefault === undefined ? [] : [[key, seconds(1).default(byDefault)] as const];
  });
  return {
    settings: strictObject(Object.fromEntries(settings), 'a connection'),
    seconds: strictObject(Object.fromEntries(ownSeconds), 'a connection'),
  };
}

function settingSchema(setting: Setting) {
  const schema = setting.kind === 'path' ? upstreamPath : oneOf(setting.values);
  return setting.default === undefined ? schema.optional() : schema.default(setting.default);
}

import * as z from 'zod';
import { commonKnobDefaults, commonKnobFields } from './knobs.ts';

/**
 * Credential of the demo CommunityWebAPI, in the shape of the secret's value. The password needs every kind of
 * encoding.
 */
export const demoCommunitySecret = { username: 'svc.api', password: 'n&t d=+%#é€ demo' };

const loginTransport = z.enum(['query', 'form', 'json']);

/** Schema of the demo CommunityWebAPI's knobs. */
export const communityKnobs = z.strictObject({
  credential: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }),
  ...commonKnobFields,
  loginTransports: z.array(loginTransport),
  pipeSplit: z.enum(['first', 'last', 'all']),
  failure: z.union([z.literal('success-false'), z.literal(400), z.literal(401), z.literal(403), z.literal(500)]),
  envelope: z.boolean(),
  agentId: z.int(),
  userRole: z.int(),
  userName: z.string(),
  timeZone: z.int(),
  language: z.string().nullable(),
  tokensOverlap: z.boolean(),
  slide: z.enum(['normal', 'missing', 'empty', 'repeated', 'conflicting', 'crlf', 'same']),
  outOfOrder: z.boolean(),
  maxSlides: z.int().min(0).nullable(),
  echoCredentialInMessage: z.boolean(),
});

/** Knobs of the demo CommunityWebAPI. */
export type CommunityKnobs = z.infer<typeof communityKnobs>;

/** Defaults: tokens of 20 minutes (C17), each with its own lifetime (C18). */
export const communityKnobDefaults: CommunityKnobs = {
  credential: demoCommunitySecret,
  ...commonKnobDefaults,
  lifetimeSeconds: 1200,
  loginTransports: ['query', 'form', 'json'],
  pipeSplit: 'first',
  failure: 'success-false',
  envelope: true,
  agentId: 4711,
  userRole: 200,
  userName: 'Service, Api D',
  timeZone: 12,
  language: null,
  tokensOverlap: true,
  slide: 'normal',
  outOfOrder: false,
  maxSlides: null,
  echoCredentialInMessage: false,
};

import * as z from 'zod';
import { commonKnobDefaults, commonKnobFields } from './knobs.ts';

/** API key of the demo HelpMaster: the one in the vendor's document, in the shape of the secret's value. */
export const demoHelpmasterSecret = { apiKey: '0bef4ace-0826-4be7-81ad-7bd7e8bfbc5f' };

/** Schema of the demo HelpMaster's knobs. */
export const helpmasterKnobs = z.strictObject({
  credential: z.strictObject({ apiKey: z.string().min(1) }),
  ...commonKnobFields,
  expiry: z.enum([
    ...(['normal', 'never', 'far-future', 'past', 'milliseconds', 'microseconds'] as const),
    ...(['text', 'iso', 'with-blanks', 'zero', 'unreadable'] as const),
  ]),
  suspended: z.boolean(),
  systemTokenSupported: z.boolean(),
  unknownSubject: z.union([
    z.literal(400),
    z.literal(401),
    z.literal(403),
    z.literal(404),
    z.literal(500),
    z.literal('no-token'),
    z.literal('other-user'),
  ]),
  staff: z.array(z.string().regex(/^[1-9][0-9]{0,9}$/, 'must be a PKID in digits')).min(1),
  corruptName: z.boolean(),
  bodyFailure: z.boolean(),
});

/** Knobs of the demo HelpMaster. */
export type HelpmasterKnobs = z.infer<typeof helpmasterKnobs>;

/** Defaults: tokens of 24 hours (H11), and the broken name of the vendor's sample. */
export const helpmasterKnobDefaults: HelpmasterKnobs = {
  credential: demoHelpmasterSecret,
  ...commonKnobDefaults,
  lifetimeSeconds: 86_400,
  expiry: 'normal',
  suspended: false,
  systemTokenSupported: true,
  unknownSubject: 400,
  staff: ['1', '42', '88'],
  corruptName: true,
  bodyFailure: false,
};

/** Something that the emulator does not model, and so the deploy test cannot prove. */
export interface NotProven {
  readonly what: string;
  /** By tests of templates, by a check of `docs/first-hour.md` on an account, or not at all. */
  readonly shown: 'templates' | `first hour: ${string}` | 'nowhere';
}

/** The one list: the deploy test prints it at its end. */
export const notProven: readonly NotProven[] = [
  {
    what: 'paths with escapes: API Gateway hands them over as they were sent (measured by others)',
    shown: 'first hour: paths',
  },
  { what: 'callers of other accounts: the emulator knows no other', shown: 'templates' },
  {
    what: 'VPCs and organisations: accepted, not modelled; a private endpoint refuses, and lets nobody in',
    shown: 'first hour: private',
  },
  {
    what: 'quotas: the emulator has none but the executions of an account',
    shown: 'first hour: refused-deployment',
  },
  { what: 'sizes: of payloads, headers and policies', shown: 'templates' },
  {
    what: "time-outs, API Gateway's own answers to them, and 60 callers on an upstream that hangs",
    shown: 'first hour: hanging',
  },
  { what: 'the throttle of one method, as the template gives it', shown: 'templates' },
  { what: 'CodeDeploy, and the weights of an alias', shown: 'templates' },
  {
    what: 'alarms by `Metrics`, composite alarms, the dashboard, the saved query: kept, never evaluated',
    shown: 'templates',
  },
  { what: 'a WAF web ACL: kept, never evaluated', shown: 'templates' },
  {
    what: "Lambda's own use of a function's role for network interfaces and traces, and what a schedule puts into its queue",
    shown: 'templates',
  },
  { what: "encryption at rest, and a service's use of a key for its callers (kms:ViaService)", shown: 'nowhere' },
  { what: 'how long a change of IAM takes until it holds', shown: 'nowhere' },
];

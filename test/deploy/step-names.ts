/** The steps of `docs/deploying.md` that the deploy test runs, as they stand. */
export const RUN = [
  'region',
  'bootstrap',
  'deploy',
  'set-secrets',
  'address',
  'first-token',
  'states',
  'rotate',
  'rotate-checked',
  'drop-token',
  'upgrade',
  'second-stage',
  'destroy-stage',
  'destroy',
  'delete-secrets',
] as const;

/** Steps that the deploy test skips: they come before it, change the checkout, or need the tester's own account. */
export const NOT_RUN = ['clone', 'credentials', 'update', 'diff'] as const;

export type StepName = (typeof RUN)[number];

/** A block of `docs/first-hour.md`, and what it prints where all is as it should be. */
export interface Check {
  readonly name: string;
  readonly what: string;
  readonly expects: RegExp;
  /** False where the emulator does not model what it looks at: then only that it runs counts. */
  readonly isEmulated?: boolean;
}

export const checks: readonly Check[] = [
  { name: 'refused-deployment', what: 'a first deployment fails, and says why', expects: /too few Lambda executions/ },
  { name: 'repeated-deployment', what: 'it can be repeated', expects: /^https:\/\/\S+\/v1$/m },
  {
    name: 'failing-update',
    what: 'a failed update leaves the secret as it was',
    expects: /too few Lambda executions[\s\S]*the secret is the same/,
  },
  {
    name: 'paths',
    what: 'escaped paths arrive as they were sent',
    expects: new RegExp(
      [
        '400 invalid_request /only%3Fb',
        ...['%2Fb', '%20b', '%C3%A4', ';x'].map((path) => `403 proxy_not_allowed /only${path}`),
      ]
        // curl that signs a path as it is written is refused; its path must not be answered in another way.
        .map((line) => `${line} by client\\n(?:${line}|403 signature_invalid ${line.split(' ')[2]}) by curl`)
        .join('\\n'),
      'm',
    ),
  },
  {
    name: 'administrator',
    what: 'an administrator is refused secret, function and data key',
    expects: /^(?:AccessDenied\w*\s+){3}$/,
  },
  { name: 'rotation', what: 'rotation hears of a new value', expects: /^logged\b/m },
  {
    name: 'hanging',
    what: '60 callers on a hanging upstream hold up nobody else',
    expects: /^60 of 60 answered in our shape:.* upstream_timeout[\s\S]*the slowest other one: [01]\.\d s$/m,
    // It runs ten functions at once, and answers those above by itself.
    isEmulated: false,
  },
  { name: 'logs', what: 'Lambda writes the logs with the roles', expects: /^(?:logged\b.*\s+){6}$/ },
  {
    name: 'private',
    what: 'a private endpoint lets nobody in',
    expects: /^left out|^before: answered 200\n[\s\S]*^private: (?:answered 403|no way in)$/m,
  },
  {
    name: 'destroy',
    what: 'all of it goes, and no stack, function, secret or log is left',
    expects: /first-hour\/hanging\s+\S*first-hour\/quick\n(?:0\n){4}$/,
  },
];

/** Rules of an upstream whose refresh tokens rotate, with reuse detection (RFC 9700 §4.14.2). */
export interface RotationRules {
  /** Time for which a token that was used is taken again. The token that it gave before ends then, if nobody used it. */
  graceMs: number;
  /** Uses of each token that give no next one: it stays as it is, and the one before it is spent for good. */
  usesWithoutNext: number;
}

/** The grants that people gave, each a chain of refresh tokens. */
export interface RotatingGrants {
  readonly rules: RotationRules;
  /** A person consents; gives the first refresh token of a new grant. */
  consent(): string;
  /** Uses a refresh token; gives the next, the same again, or undefined for one that is refused. */
  use(token: string): string | undefined;
  /** Ends every grant, as an administrator does. */
  end(): void;
  /** The tokens that came back after they were used: each ended its grant. */
  readonly reused: readonly string[];
}

interface Issued {
  readonly grant: number;
  usesWithoutNext: number;
  usedAt?: number;
  /** The token that it gave last. */
  next?: string;
  isEnded?: boolean;
}

/** Creates the grants of one upstream, without any; it takes a token once, and gives the next each time. */
export function createRotatingGrants(now: () => number): RotatingGrants {
  const rules: RotationRules = { graceMs: 0, usesWithoutNext: 0 };
  const tokens = new Map<string, Issued>();
  const revoked = new Set<number>();
  const reused: string[] = [];
  let grants = 0;

  function issue(grant: number): string {
    const serial = [...tokens.values()].filter((each) => each.grant === grant).length;
    const token = `grant-${grant}.${serial}`;
    tokens.set(token, { grant, usesWithoutNext: 0 });
    return token;
  }

  return {
    rules,
    reused,
    consent() {
      grants += 1;
      return issue(grants);
    },
    end() {
      for (const { grant } of tokens.values()) revoked.add(grant);
    },
    use(token) {
      const known = tokens.get(token);
      if (known === undefined || known.isEnded === true || revoked.has(known.grant)) return undefined;
      const before = known.next === undefined ? undefined : tokens.get(known.next);
      const isSpent = known.usedAt !== undefined && now() - known.usedAt > rules.graceMs;
      if (isSpent || (before?.usesWithoutNext ?? 0) > 0) {
        reused.push(token);
        revoked.add(known.grant);
        return undefined;
      }
      if (known.usedAt === undefined && known.usesWithoutNext < rules.usesWithoutNext) {
        known.usesWithoutNext += 1;
        return token;
      }
      if (before !== undefined && before.usedAt === undefined) before.isEnded = true;
      known.usedAt ??= now();
      known.next = issue(known.grant);
      return known.next;
    },
  };
}

/** The first refresh token of the grant that a token is of. */
export function firstOf(token: string): string {
  return token.replace(/\.\d+$/, '.0');
}

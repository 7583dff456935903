/** A way to break the broker that the simulation must notice. */
export interface Mutant {
  readonly name: string;
  /** The path from the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** It shows only where the credential rotates. */
  readonly isOfRotation?: true;
}

/** Each takes one rule of the protocol away, in the core or in the conditions of the store. */
export const mutants: readonly Mutant[] = [
  {
    name: 'publish does not look at the generation',
    file: 'functions/core/slot/changes.ts',
    find: 'onlyIf: [holds(leaseId), generationIs(seenGeneration)],',
    replace: 'onlyIf: [holds(leaseId)],',
  },
  {
    name: 'publish does not look at the lease',
    file: 'functions/core/slot/changes.ts',
    find: 'onlyIf: [holds(leaseId), generationIs(seenGeneration)],',
    replace: 'onlyIf: [generationIs(seenGeneration)],',
  },
  {
    name: 'acquire does not look at what was read',
    file: 'functions/core/slot/changes.ts',
    find: "seen === undefined\n      ? [{ item: 'absent' }]",
    replace: "leaseId !== ''\n      ? [{ field: 'notBefore', atMost: now }]",
  },
  {
    name: 'a purge does not advance the generation',
    file: 'functions/core/slot/changes.ts',
    find: 'add: { generation: 1 },',
    replace: 'add: {},',
  },
  {
    name: 'no back-off is written with the lease',
    file: 'functions/core/slot/claim.ts',
    find: "return now + Math.max(leaseLengthMs(connection), backOffMs('unknown', tries + 1, random));",
    replace: "return tries < 0 ? backOffMs('unknown', tries, random) : now;",
  },
  {
    name: 'a lease ends before the work under it must',
    file: 'functions/core/slot/lease.ts',
    find: 'return (connection.timeoutSeconds + 11) * SECOND_MS;',
    replace: 'return (connection.timeoutSeconds - 2) * SECOND_MS;',
  },
  {
    name: 'a life is counted from the answer',
    file: 'functions/core/mint/publish.ts',
    find: 'const times = timesOf(minted.issued, connection, slot);',
    replace: 'const times = timesOf({ life: minted.issued.life, requestStartedAt: clock.now() }, connection, slot);',
  },
  {
    name: 'a token without expiry has none',
    file: 'functions/core/slot/lifetime.ts',
    find: 'if (life.exp === undefined) return maximumMs;',
    replace: 'if (life.exp === undefined) return maximumMs * 10;',
  },
  {
    name: 'who reports a token dead may be given it again',
    file: 'functions/core/hand-out/next-step.ts',
    find: 'if (!isExcluded(want, record)) {',
    replace: 'if (!isExcluded(want, record) || want.not !== undefined) {',
  },
  {
    name: 'a session reported dead is slid',
    file: 'functions/core/slot/next-way.ts',
    find: '|| isRejected(record)) return false;',
    replace: '|| (now < 0 && isRejected(record))) return false;',
  },
  {
    name: "a young token is renewed on a caller's word",
    file: 'functions/core/hand-out/lookup.ts',
    find: 'if (now >= renewableAt) return;',
    replace: 'if (now >= renewableAt || renewableAt > 0) return;',
  },
  {
    name: 'a refused version is logged in with again',
    file: 'functions/core/mint/lockout.ts',
    find: 'version === refusedVersion && (',
    replace: "version === '' && refusedVersion !== undefined && (",
  },
  {
    name: 'users who are refused stop no unproven version',
    file: 'functions/core/slot/logins.ts',
    find: 'const USER_REFUSALS_THAT_STOP = 2;',
    replace: 'const USER_REFUSALS_THAT_STOP = 99;',
  },
  {
    name: 'a refused version stops nobody',
    file: 'functions/core/slot/logins.ts',
    find: "return secretVersion === version && standing === 'refused';",
    replace: "return secretVersion === version && standing === 'refused' && version === '';",
  },
  {
    name: 'several try an unproven version at once',
    file: 'functions/core/slot/logins.ts',
    find: "seen.probe.until > now) return { may: 'wait' };",
    replace: "seen.probe.until > now + 1e12) return { may: 'wait' };",
  },
  {
    name: 'failed logins hold back none',
    file: 'functions/core/slot/logins.ts',
    find: 'const MOST_FAILED = { system: 4, user: 3 } as const;',
    replace: 'const MOST_FAILED = { system: 99, user: 99 } as const;',
  },
  {
    name: 'refused logins hold back none',
    file: 'functions/core/slot/logins.ts',
    find: 'const MOST_REFUSED = 3;',
    replace: 'const MOST_REFUSED = 99;',
  },
  {
    name: 'what is written of logins depends on no reading',
    file: 'functions/core/slot/logins.ts',
    find: "onlyIf: [{ field: 'revision', is: seen.revision }],",
    replace: 'onlyIf: [],',
  },
  {
    name: 'writes of logins are not counted',
    file: 'functions/core/slot/logins.ts',
    find: 'add: { revision: 1 },',
    replace: 'add: {},',
  },
  {
    name: 'a login counts as failed only once it has ended',
    file: 'functions/core/slot/logins.ts',
    find: "failed: new Set([...failed, createMark(until, 'begun', id)]),",
    replace: 'failed: new Set(failed),',
  },
  {
    name: 'strangers condemn a version that serves others',
    file: 'functions/core/slot/logins.ts',
    find: "if (isEvidence) return { ...noted, standing: 'refused' };",
    replace: "if (isEvidence || id !== '') return { ...noted, standing: 'refused' };",
  },
  {
    name: 'a DELETE forgets failed logins',
    file: 'functions/core/slot/logins.ts',
    find: 'failed: new Set(failed),\n    refusals: 0,',
    replace: 'failed: new Set<string>(),\n    refusals: 0,',
  },
  {
    name: 'a duplicated invocation begins again',
    file: 'functions/core/mint/begin.ts',
    find: 'if (record?.lease?.id !== lease.id || record.lease.begunBy !== begunBy)',
    replace: 'if (record?.lease?.id !== lease.id)',
  },
  {
    name: 'mint takes all of timeoutSeconds however late it is',
    file: 'functions/core/mint/mint.ts',
    find: 'return Math.min(connection.timeoutSeconds * 1000, deadline - clock.now() - WRITING_MS);',
    replace: 'return connection.timeoutSeconds * 1000 + 0 * (deadline - clock.now() - WRITING_MS);',
  },
  {
    name: 'a session is slid for ever',
    file: 'functions/core/slot/next-way.ts',
    find: 'return now < sessionEndsAt && canRenew(connection);',
    replace: 'return (now < sessionEndsAt || now > 0) && canRenew(connection);',
  },
  {
    name: "a renewal takes its lease under the logins' back-off",
    file: 'functions/core/slot/changes.ts',
    find: "...(way === 'login' ? { notBefore } : { renewalNotBefore: notBefore }),",
    replace: '...(way === way ? { notBefore } : {}),',
  },
  {
    name: "a renewal that failed leaves the logins' back-off",
    file: 'functions/core/slot/changes.ts',
    find: "    way === 'login'\n      ? { notBefore, failure, refusedVersion, tries }",
    replace: '    way !== undefined\n      ? { notBefore, failure, refusedVersion, tries }',
  },
  {
    name: 'a login follows a renewal without a back-off',
    file: 'functions/core/slot/changes.ts',
    find: 'set: { notBefore, rejectedGeneration },',
    replace: 'set: { notBefore: Math.min(notBefore, 0), rejectedGeneration },',
  },
  {
    name: 'the back-off does not grow',
    file: 'functions/core/slot/back-off.ts',
    find: 'firstMs * 2 ** Math.min(Math.max(tries, 1) - 1, 20)',
    replace: 'firstMs * 1 ** Math.min(Math.max(tries, 1) - 1, 20)',
  },
  {
    name: 'hand-outs are not recorded',
    file: 'functions/core/hand-out/hand-out.ts',
    find: 'await recordHandOut(dependencies, request, handedOut);',
    replace: 'void recordHandOut;',
  },
  {
    name: 'memory is asked without looking at the clock',
    file: 'functions/core/hand-out/hand-out.ts',
    find: 'if (token === undefined || now >= token.refreshAt || !isUsable(token, now, minTtlSeconds)) return undefined;',
    replace: 'if (token === undefined) return undefined;',
  },
  {
    name: 'memory serves in an outage whatever it holds',
    file: 'functions/core/hand-out/hand-out.ts',
    find: 'if (canServe && isUsable(remembered, clock.now(), minTtlSeconds))',
    replace: 'if (canServe)',
  },
  {
    name: 'memory does not serve in an outage',
    file: 'functions/core/hand-out/hand-out.ts',
    find: "(error.code === 'store_unavailable' || error.code === 'kms_unavailable')",
    replace: "error.code === 'internal'",
  },
  {
    name: 'callers of different subjects share their flights',
    file: 'functions/core/hand-out/hand-out.ts',
    find: '{slotId(request.slot)}#',
    replace: '{request.slot.connection}#',
  },
  {
    name: 'the skew of clocks is not taken off',
    file: 'functions/core/slot/token.ts',
    find: 'return token.expiresAt - CLOCK_SKEW_MS - now >= minTtlSeconds * 1000;',
    replace: 'return token.expiresAt + CLOCK_SKEW_MS - now >= minTtlSeconds * 1000;',
  },
  {
    name: 'callers wait for a lease although a token is good',
    file: 'functions/core/hand-out/next-step.ts',
    find: 'if (!isExcluded(want, record)) {',
    replace: "if (liveLease(record, at) !== undefined) return { do: 'wait' };\n  if (!isExcluded(want, record)) {",
  },
  {
    name: 'a fresh token is minted over by every sweep',
    file: 'functions/core/mint/begin.ts',
    find: 'if (isFresh && !isRejected(record)) {',
    replace: 'if (isFresh && !isRejected(record) && request.trigger === "caller") {',
  },
  {
    name: 'an invocation without an answer is taken for one that was never sent',
    file: 'functions/core/hand-out/request-mint.ts',
    find: "case 'unanswered':\n        return { record: await read(slot), reply: undefined };",
    replace: "case 'unanswered':\n        throw await recordNotInvoked(connection, slot, claim);",
  },
  {
    name: 'a look at the secret counts as a try, with its back-off',
    file: 'functions/core/slot/back-off.ts',
    find: 'refused: { firstMs: 10_000, maximumMs: 10_000, jitter: false },',
    replace: 'refused: { firstMs: 10_000, maximumMs: 900_000, jitter: false },',
  },
  {
    name: 'a token is sealed for another generation than it is published as',
    file: 'functions/core/slot/seal.ts',
    find: 'generation: record.generation + 1 }',
    replace: 'generation: record.generation }',
  },
  {
    name: 'a proxied slide is taken up whatever the generation is',
    file: 'functions/core/slot/changes.ts',
    find: 'onlyIf: [generationIs(seenGeneration), tokenIs({ hash: usedHash }), {',
    replace: 'onlyIf: [{',
  },
  {
    name: "a proxied call begins although the lease is another's",
    file: 'functions/core/slot/changes.ts',
    find: 'tokenIs(seen.token), leaseIs(seen.lease)],',
    replace: 'tokenIs(seen.token)],',
  },
  {
    name: 'a next refresh token is not kept',
    file: 'functions/core/mint/keep.ts',
    find: 'if ((await putIntoSecret(value)) || (await putIntoItem(value))) return;',
    replace: 'if (value.generation > 0) return void onNext(undefined);',
    isOfRotation: true,
  },
  {
    name: 'two slots may send one refresh token',
    file: 'functions/core/mint/kept.ts',
    find: 'if ((seen?.lease?.until ?? 0) > now) throw createBusyError(connection.name);',
    replace: 'if ((seen?.lease?.until ?? 0) > now && seen?.fence === -1) throw createBusyError(connection.name);',
    isOfRotation: true,
  },
  {
    name: 'a version that was left on the way is forgotten',
    file: 'functions/core/mint/kept.ts',
    find: 'const left = [waiting, versions.next].find((version) => follows(version, versions));',
    replace:
      'const left = [waiting, versions.next].find((version) => follows(version, versions) && version === undefined);',
    isOfRotation: true,
  },
  {
    name: 'a refused refresh token is forgotten',
    file: 'functions/core/mint/kept.ts',
    find: 'if (item.refused === name) return',
    replace: "if (item.refused === name && name === '') return",
    isOfRotation: true,
  },
  {
    name: "the operator's own refresh token is sent whatever is kept",
    file: 'functions/core/mint/kept-value.ts',
    find: 'return of === operators.versionId || from === originOf(operators, provider) ? kept : undefined;',
    replace: 'return of === operators.versionId && from === originOf(operators, provider) ? kept : undefined;',
    isOfRotation: true,
  },
];

import { slotName } from '../../functions/core/slot/slot.ts';
import type { Watch } from './happenings.ts';
import type { Watched } from './run.ts';

const REFUSALS_THAT_STOP = 3;
const LOOK_MS = 10_000;
/** Thirty days, but for what two clocks may differ. */
const REFUSAL_KEPT_MS = 30 * 86_400_000 - 300_000;

/** 5: after a definite refusal no login for that slot with that version, until an operator clears it. */
export function noLoginWithARefusedVersion({ run, connection, found }: Watched): Watch {
  let refused: { readonly version: string; readonly at: number; excused: number }[] = [];
  const begunAt = new Map<string, number>();

  return {
    write({ operation, by, at, after }) {
      if (operation === 'purge') refused = [];
      if (operation === 'acquire' || operation === 'begin') begunAt.set(by, at);
      if (operation !== 'fail' || after?.refusedVersion === undefined) return;
      refused.push({ version: after.refusedVersion, at, excused: 0 });
      const looksAt = after.notBefore - (after.failure?.at ?? 0);
      if (after.failure?.code === 'upstream_credential_rejected' && looksAt > LOOK_MS)
        found(at, `the next look at the secret is ${looksAt} ms away`);
    },
    sent({ kind, at, process, credential }) {
      if (kind !== 'login') return;
      const version = run.world.vault.versionOf(connection.secret, credential ?? '');
      for (const refusal of refused) {
        if (refusal.version !== version || refusal.at >= at) continue;
        // Beyond the bound of clocks another may take the lease and be refused while its holder is at work: no
        // condition on the table can call back what was begun. That costs one extra login at worst.
        const isBegunBefore = (begunAt.get(process) ?? at) < refusal.at;
        if (!run.scenario.isWithinSkew && isBegunBefore) refusal.excused += 1;
        if (run.scenario.isWithinSkew || !isBegunBefore || refusal.excused > 1)
          found(at, `a login with ${version}, refused before`);
      }
    },
  };
}

/** 5: after three slots were refused under one version no login of the connection with it. */
export function refusedSlotsStopTheConnection({ run, connection, found }: Watched): Watch {
  const stops: { readonly version: string; readonly from: number; to: number }[] = [];
  return {
    refusals({ after, at }) {
      for (const stop of stops) if (after?.secretVersion !== stop.version) stop.to = Math.min(stop.to, at);
      if (after === undefined || after.slots.size < REFUSALS_THAT_STOP) return;
      stops.push({ version: after.secretVersion, from: at, to: Number.POSITIVE_INFINITY });
    },
    sent({ kind, at, refusalsReadAt, credential }) {
      if (kind !== 'login' || stops.length === 0) return;
      const version = run.world.vault.versionOf(connection.secret, credential ?? '');
      const isStopped = stops.some(
        (stop) => stop.version === version && refusalsReadAt > stop.from && refusalsReadAt < stop.to,
      );
      if (isStopped) found(at, `a login with ${version} after three slots were refused`);
    },
  };
}

/** 5: a refused slot is counted under the version that was refused, and no other of that version is forgotten. */
export function refusalsAreCounted({ run, connection, slot, found }: Watched): Watch {
  return {
    refusals({ by, at, before, after }) {
      const login = run.world.ledger.findLast((sent) => sent.process === by && sent.at <= at);
      const isOwn = login?.subject === slot.subject && login.fingerprint === slot.fingerprint;
      if (after === undefined || login === undefined || !isOwn) return;
      const version = run.world.vault.versionOf(connection.secret, login.credential ?? '');
      const { secretVersion, slots, ttlSeconds } = after;
      if (secretVersion !== version || !slots.has(slotName(slot))) found(at, `a refusal of ${version} was not counted`);
      const others = before?.secretVersion === version ? before?.slots : undefined;
      const all = new Set([...(others ?? []), slotName(slot)]);
      const isRight = slots.size === all.size && [...all].every((each) => slots.has(each));
      if (!isRight) found(at, 'refused slots of one version were forgotten, or mixed with those of another');
      if (ttlSeconds * 1000 < login.at + REFUSAL_KEPT_MS) found(at, 'a refusal may be forgotten early');
    },
  };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats milliseconds in their two largest units. */
export function duration(ms) {
  const rest = Math.max(0, ms);
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)} s`;
  if (rest < HOUR) return `${Math.floor(rest / MINUTE)} min ${Math.floor((rest % MINUTE) / SECOND)} s`;
  if (rest < DAY) return `${Math.floor(rest / HOUR)} h ${Math.floor((rest % HOUR) / MINUTE)} min`;
  return `${Math.floor(rest / DAY)} d ${Math.floor((rest % DAY) / HOUR)} h`;
}

/** Formats milliseconds in their largest unit. */
export function roughly(ms) {
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  return `${Math.round(ms / HOUR)} h`;
}

/**
 * Formats a time in the reader's time zone: of day alone if it is on the day of `now`, else with its date; to the second,
 * or to the minute.
 */
export function timeOf(epochMs, now, to = 'seconds') {
  const [time, today] = [new Date(epochMs), new Date(now)];
  const isToday = time.toDateString() === today.toDateString();
  return time.toLocaleString(undefined, {
    ...(isToday ? {} : { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
    ...(to === 'minutes' ? {} : { second: '2-digit' }),
    hourCycle: 'h23',
  });
}

const handedOut = {
  cache: 'Handed out from the cache',
  login: 'Handed out after a login',
  slide: 'Handed out after a slide',
  refresh: 'Handed out after a refresh',
};

/** Describes the result of a hand-out; `slot` is the slot's status right after. */
export function handOutWords(result, slot) {
  if (!result.ok) return failureWords(result);
  const { token_hash: tokenHash, generation, source, elapsed_ms: elapsedMs } = result;
  const text = `${handedOut[source] ?? 'Handed out'}: token ${tokenHash}, generation ${generation}, ${elapsedMs} ms.`;
  const isCurrent = slot === undefined || (slot.generation === generation && slot.expires_at !== null);
  return isCurrent
    ? text
    : `${text} A warm function remembers it for memorySeconds at the most; the store has moved on.`;
}

/** Describes the result of rejecting the current token. */
export function rejectWords(result) {
  if (!result.ok) return failureWords(result);
  return result.source === 'cache'
    ? `That token was not the current one any more: the current one is ${result.token_hash}. No login was made for it.`
    : `Replaced: the current token is now ${result.token_hash}, generation ${result.generation}.`;
}

/** Describes the result of a purge. */
export function purgeWords(result) {
  return result.ok
    ? 'Forgotten, with refusal and back-off. A warm function may hand out what it remembers for memorySeconds more.'
    : failureWords(result);
}

/** Describes the result of a call through the proxy. */
export function callWords({ ok, status, elapsed_ms: elapsedMs, ...problem }) {
  if (ok) return `The upstream answered ${status} in ${elapsedMs} ms. The broker placed the token.`;
  if (problem.code !== undefined) return failureWords({ status, ...problem });
  return status === 401
    ? 'The upstream answered 401: the token is dead there. A token is replaced on such word once it is a minute old.'
    : `The upstream answered ${status}. The broker passed that on: no attempt of its own failed.`;
}

/** Describes the result of a herd. */
export function herdWords({ callers, instances, answered, tokens, logins, elapsed_ms: elapsedMs, codes }) {
  const cost = `${callers} callers on ${instances} cold functions: ${count(logins, 'login')}, ${count(tokens, 'token')}, ${elapsedMs} ms.`;
  return answered === callers ? cost : `${cost} ${callers - answered} got none (${codes.join(', ')}).`;
}

/** Describes the result of making a slot due, by its status before and after. */
export function refreshWords(found, before, after) {
  if (!found) return 'There is no token to refresh. Hand one out first.';
  if (after !== undefined && after.generation > before.generation) {
    return `Refreshed ahead of its end: generation ${before.generation} became ${after.generation}. No caller waited.`;
  }
  if (after?.last_error)
    return `Not refreshed (${after.last_error.code}). The token in hand is handed out all the same.`;
  return 'The schedule left it alone.';
}

/** Describes a failure: code, the broker's detail and the remedy. */
export function failureWords({ status, code, detail, remedy }) {
  if (code === undefined) return `The broker answered ${status}.`;
  return [`${code}.`, detail, remedy].filter(Boolean).join(' ');
}

const events = {
  login: 'Login',
  slide: 'Slide',
  refresh: 'Refresh',
  failure: 'Failed attempt',
  call: 'Failed call',
  purge: 'Purged',
  rotation: 'New secret version',
};

/** Describes an event in a few words. */
export function eventWords({ kind, source, code }) {
  if (kind === 'hand-out') return source === 'cache' ? 'Handed out from the cache' : `Handed out after a ${source}`;
  return code === undefined ? (events[kind] ?? kind) : `${events[kind] ?? kind}: ${code}`;
}

/** Formats a number with its noun. */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

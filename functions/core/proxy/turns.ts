/** A place in the line of calls that wait for their turn. */
export interface Ticket {
  /** Id of the call, and of its lease once it has its turn. */
  readonly id: string;
  /** Hash of the caller's principal. */
  readonly caller: string;
  /** Time at which the call gives up; epoch milliseconds. */
  readonly until: number;
}

/** The turns of a slot: the caller that had the last one, and the calls that wait for the next, first come first. */
export interface Turns {
  readonly last: string;
  readonly line: readonly Ticket[];
}

/** Reads the turns of a record, without the tickets of calls that have given up. */
export function readTurns(turns: string | undefined, now: number): Turns {
  const [last = '', ...tickets] = (turns ?? '').split(' ');
  const line = tickets.map((ticket) => {
    const [until, caller = '', id = ''] = ticket.split('/');
    return { until: Number(until), caller, id };
  });
  return { last, line: line.filter(({ until }) => until > now) };
}

/** Writes turns as a record holds them. */
export function writeTurns({ last, line }: Turns): string {
  return [last, ...line.map(({ until, caller, id }) => `${until}/${caller}/${id}`)].join(' ');
}

/**
 * Puts a ticket at the end of the line, but before a ticket of the caller that had the last turn: nobody has two turns
 * in a row while another waits.
 */
export function joinLine({ last, line }: Turns, ticket: Ticket): Turns {
  const again = line.findIndex(({ caller }) => caller === last);
  const place = again < 0 || ticket.caller === last ? line.length : again;
  return { last, line: line.toSpliced(place, 0, ticket) };
}

/** Takes a call out of the line. */
export function leaveLine({ last, line }: Turns, { id }: Pick<Ticket, 'id'>): Turns {
  return { last, line: line.filter((ticket) => ticket.id !== id) };
}

import { type SlotName, slotPath } from '../broker-api.ts';

/**
 * Reads `CONNECTION[/SUBJECT]`; the subject is `system` where it is left out. Throws a `usage` error for a name that no
 * connection or subject can have.
 */
export function parseSlot(text: string): SlotName {
  const [connection = '', ...subject] = text.split('/');
  const slot = { connection, subject: subject.length === 0 ? 'system' : subject.join('/') };
  slotPath(slot);
  return slot;
}

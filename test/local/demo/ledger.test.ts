import { describe, expect, it } from 'vitest';
import { createLedgerBook } from '../../../local/demo/ledger.ts';

describe('a ledger', () => {
  it('keeps the newest entries only, oldest first', () => {
    const book = createLedgerBook(3);
    for (let status = 1; status <= 8; status += 1) book.login({ subject: 'system', status });
    expect(book.read().logins.map(({ status }) => status)).toEqual([6, 7, 8]);
  });

  it('says when in ISO 8601', () => {
    const book = createLedgerBook();
    book.call({ subject: 'unknown', status: 401, method: 'GET', path: '/x' });
    const at = book.read().calls[0]?.at ?? '';
    expect(new Date(at).toISOString()).toBe(at);
  });

  it('does not grow with the length of a path', () => {
    const book = createLedgerBook();
    book.call({ subject: 'unknown', status: 401, method: 'GET', path: `/${'x'.repeat(5000)}` });
    expect(book.read().calls[0]?.path.length).toBe(200);
  });

  it('is empty once cleared', () => {
    const book = createLedgerBook();
    book.slide({ subject: 'system', status: 200 });
    book.clear();
    expect(book.read()).toEqual({ logins: [], slides: [], calls: [] });
  });
});

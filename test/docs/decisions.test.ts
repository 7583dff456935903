import { describe, expect, it } from 'vitest';
import { readFiles, readPage } from './repository.ts';

const SECTIONS = ['Status', 'Context', 'Decision', 'Alternatives considered', 'Consequence'];

const decisions = readFiles(/^docs\/adr\/\d{4}-[a-z0-9-]+\.md$/);

describe('the decisions', () => {
  it.each(decisions)('$path says what each must say', ({ text }) => {
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, section]) => section)).toEqual(SECTIONS);
  });

  it('have a number each, used once', () => {
    const numbers = decisions.map(({ path }) => path.slice('docs/adr/'.length).split('-', 1)[0]);
    expect(numbers).toEqual([...new Set(numbers)]);
  });

  it('are listed with their titles, in order', () => {
    const listed = [...readPage('docs/adr/README.md').matchAll(/^\| \[(\d+)\]\((\S+)\) \| (.+) \|$/gm)];
    expect(listed.map(([, number, file, title]) => [`docs/adr/${file}`, `# ${number}: ${title}`])).toEqual(
      decisions.map(({ path, text }) => [path, text.split('\n', 1)[0]]).sort(),
    );
  });
});

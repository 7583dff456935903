import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathsOfRepository, type RepositoryFile, readFiles, readPage } from './repository.ts';

const paths: ReadonlySet<string> = new Set(pathsOfRepository());
const fileNames: ReadonlySet<string> = new Set([...paths].map((path) => posix.basename(path)));
const pages = readFiles(/\.md$/);

const FENCED = /^( *)```.*?^\1```$/gms;
const CODE = /`([^`\n]+)`/g;
const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
/** Matches a path in a folder of the repository, without a placeholder. */
const PATH = /^(?:\.ci|bench|cdk|client|docs|functions|local|packages|test)\/[\w./-]*$/;
const FILE_NAME = /^[\w./-]*\w\.(?:ts|md)$/;
const SCRIPT = /\bnpm run (?:-\S+ )*(\w[\w:-]*)/g;

function matches(pattern: RegExp, text: string): readonly string[] {
  return [...text.matchAll(pattern)].map(([, match = '']) => match);
}

/** Files and folders that a page names and the repository does not have: by their path from the root, or from the page. */
function missingPaths({ path, text }: RepositoryFile): readonly string[] {
  const words = matches(CODE, text.replace(FENCED, '')).flatMap((code) => code.split(/\s+/));
  const places = words.filter((word) => PATH.test(word) || FILE_NAME.test(word));
  return places.filter((place) => {
    const named = place.replace(/\/$/, '');
    const isBare = !named.includes('/') && fileNames.has(named);
    return !isBare && !paths.has(named) && !paths.has(posix.join(posix.dirname(path), named));
  });
}

/** Links to files, or to places in pages, that are not there. */
function deadLinks({ path, text }: RepositoryFile): readonly string[] {
  const targets = matches(LINK, text.replace(FENCED, '')).filter((target) => !/^[a-z]+:/.test(target));
  return targets.filter((target) => {
    const [file = '', anchor] = target.split('#');
    const at = file === '' ? path : posix.join(posix.dirname(path), file).replace(/\/$/, '');
    if (!paths.has(at)) return true;
    return anchor !== undefined && !anchorsOf(file === '' ? text : readPage(at)).has(anchor);
  });
}

/** The anchors of a page: its headings as GitHub names them, and the ids that it gives itself. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = matches(/^#+ (.+)$/gm, text.replace(FENCED, ''));
  const slugs = headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
  return new Set([...slugs, ...matches(/<a id="([^"]+)">/g, text)]);
}

describe('the pages', () => {
  it('name only files and folders that there are', () => {
    expect(pages.length).toBeGreaterThan(25);
    expect(pages.flatMap((page) => missingPaths(page).map((place) => `${page.path}: ${place}`))).toEqual([]);
  });

  it('link only to existing targets', () => {
    expect(pages.flatMap((page) => deadLinks(page).map((target) => `${page.path}: ${target}`))).toEqual([]);
  });

  it('name only scripts that package.json has', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(readPage('package.json'));
    const unknown = pages.flatMap(({ path, text }) =>
      matches(SCRIPT, text).flatMap((script) => (Object.hasOwn(scripts, script) ? [] : [`${path}: ${script}`])),
    );
    expect(unknown).toEqual([]);
  });

  it('are found by this test: it reports a path and a link that lead nowhere', () => {
    const page = (text: string) => ({ path: 'docs/page.md', text });
    const good = '`functions/core/mint/mint.ts`, `node bench/run.ts`, `mint.ts`, `test/docs/`, `POST /user/gettoken`';
    expect(missingPaths(page(good))).toEqual([]);
    expect(missingPaths(page('`core/mint/mint.ts`, `functions/mints/`, `node bench/ran.ts`'))).toEqual([
      'core/mint/mint.ts',
      'functions/mints/',
      'bench/ran.ts',
    ]);
    expect(deadLinks(page('[one](upstreams.md#h1), [two](../README.md), [three](https://example.com)'))).toEqual([]);
    expect(deadLinks(page('[one](upstreams.md#h0), [two](missing.md)'))).toEqual(['upstreams.md#h0', 'missing.md']);
  });
});

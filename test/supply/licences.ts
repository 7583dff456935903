import { readFileSync } from 'node:fs';
import { packagesIn } from './lock-file.ts';

/**
 * Lists every package of the lock file by licence, and ends with 1 where one has a licence that is not known to be
 * harmless: npm run licences
 */
const HARMLESS: ReadonlySet<string> = new Set([
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC', 'MIT', 'MIT-0'],
  ...[
    'PSF-2.0',
    'Python-2.0',
    'Unlicense',
    '(MIT OR CC0-1.0)',
    'MIT OR Apache-2.0',
    '(MIT AND Zlib)',
    'CC-BY-4.0',
    'MPL-2.0',
  ],
]);

const packages = packagesIn(readFileSync('package-lock.json', 'utf8'));
const byLicence = Map.groupBy(packages, ({ license }) => license ?? 'none');
for (const [licence, those] of [...byLicence].sort(([a], [b]) => (a < b ? -1 : 1))) {
  process.stdout.write(`${HARMLESS.has(licence) ? '' : 'LOOK AT '}${licence}: ${those.length}\n`);
  for (const { name, version, isShipped } of those) {
    process.stdout.write(`  ${name} ${version}${isShipped ? ' (shipped)' : ''}\n`);
  }
}
if ([...byLicence.keys()].some((licence) => !HARMLESS.has(licence))) process.exitCode = 1;

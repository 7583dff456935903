import * as z from 'zod';

/** A package of the lock file. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
  /** Hash of its content; undefined where npm would take whatever the registry gives. */
  readonly integrity: string | undefined;
  /** It would run something at install. */
  readonly hasInstallScript: boolean;
  /** It is part of what is deployed or published, and no tool. */
  readonly isShipped: boolean;
}

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      integrity: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
      inBundle: z.boolean().optional(),
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
    }),
  ),
});

/** Lists the packages that a lock file names, without those that another brings in its own archive. */
export function packagesIn(text: string): readonly LockedPackage[] {
  const { packages } = lockSchema.parse(JSON.parse(text));
  return Object.entries(packages).flatMap(([path, entry]) => {
    const name = path.split('node_modules/').at(-1) ?? '';
    if (path === '' || entry.inBundle === true) return [];
    const { version = '', license, integrity, hasInstallScript = false, dev = false, optional = false } = entry;
    return [{ name, version, license, integrity, hasInstallScript, isShipped: !dev && !optional }];
  });
}

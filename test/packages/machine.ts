import { delimiter, join } from 'node:path';

const CLONE = join(import.meta.dirname, '../..');

/** Folders of the machine's own Node and npm, without the clone's. */
const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.startsWith(CLONE))
  .join(delimiter);

/** Variables without which npm may not reach its registry. */
const WAY_TO_REGISTRY = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value = '']) =>
    /^(?:npm_config_(?:registry|cafile)|https?_proxy|no_proxy|node_extra_ca_certs)$/i.test(name) ? [[name, value]] : [],
  ),
);

/** Environment of a command that is typed outside the clone, with nothing of AWS. */
export const MACHINE: Readonly<Record<string, string>> = {
  ...WAY_TO_REGISTRY,
  PATH,
  HOME: process.env['HOME'] ?? '/',
  CI: '1',
  NO_COLOR: '1',
};

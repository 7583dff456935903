import { CANDIDATE_STAGE } from '../../functions/adapters/aws/candidates.ts';
import type { LocalSecrets, Secret } from '../secret-source.ts';
import { AwsError } from './aws-error.ts';
import type { KeptSecretStore } from './kept-secret-store.ts';
import { moveLabel, NOTHING_WRITTEN, putVersion, type SecretState } from './secret-state.ts';

const CURRENT_STAGE = 'AWSCURRENT';

/** The operators' secrets with their candidates: values that are tried before they become current. */
export interface OperatorSecrets extends KeptSecretStore {
  /** Names a candidate and adds it. Throws an `AwsError` for another label, and where it could not become current. */
  propose(
    name: string,
    value: string,
    labels: readonly string[] | undefined,
  ): Promise<{ readonly versionId: string; readonly put: (seen: SecretState) => SecretState }>;
}

/** Creates the operators' secrets. Candidates are in memory; one that becomes current goes to where the others are. */
export function createOperatorSecrets(secrets: LocalSecrets): OperatorSecrets {
  const candidates = new Map<string, Secret>();

  return {
    async read(name) {
      const current = secrets.current(name);
      if (current === undefined) return undefined;
      const candidate = candidates.get(name);
      const labelled = [
        ...(current === 'empty' ? [] : [[CURRENT_STAGE, current] as const]),
        ...(candidate === undefined ? [] : [[CANDIDATE_STAGE, candidate] as const]),
      ];
      return {
        ...NOTHING_WRITTEN,
        versions: Object.fromEntries(
          labelled.map(([, { versionId, value, createdAt }]) => [versionId, { value, createdAt }]),
        ),
        labels: Object.fromEntries(labelled.map(([label, { versionId }]) => [label, versionId])),
      };
    },

    async replace(name, seen, { versions, labels }) {
      const current = secrets.current(name);
      const currentId = typeof current === 'object' ? current.versionId : undefined;
      if (currentId !== seen.labels[CURRENT_STAGE]) return false;
      const of = (label: string) => {
        const versionId = labels[label] ?? '';
        const version = versions[versionId];
        return version && { versionId, ...version };
      };
      const [next, candidate] = [of(CURRENT_STAGE), of(CANDIDATE_STAGE)];
      if (next !== undefined && next.versionId !== currentId) await secrets.replace(name, next.value);
      if (candidate === undefined) candidates.delete(name);
      else candidates.set(name, candidate);
      return true;
    },

    async propose(name, value, labels = [CURRENT_STAGE]) {
      if (labels.some((label) => label !== CANDIDATE_STAGE))
        throw new AwsError(
          400,
          'AccessDeniedException',
          "a value of the operator's secrets is put as a candidate alone",
        );
      if (!(await secrets.canReplace(name)))
        throw new AwsError(400, 'InvalidRequestException', 'the file of --secrets cannot be replaced');
      const version = secrets.versionOf(name, value);
      const put = (seen: SecretState): SecretState => {
        const next = putVersion(seen, version, labels);
        const from = seen.labels[CANDIDATE_STAGE];
        // The same value has the same id, and is a candidate all the same.
        return next === seen ? moveLabel(seen, { label: CANDIDATE_STAGE, to: version.versionId, from }) : next;
      };
      return { versionId: version.versionId, put };
    },
  };
}

import { AwsError } from './aws-error.ts';

/** The versions of one secret, and their staging labels. */
export interface SecretState {
  readonly versions: Readonly<Record<string, { readonly value: string; readonly createdAt: number }>>;
  /** Version by label. */
  readonly labels: Readonly<Record<string, string>>;
  /** Counts the changes. */
  readonly revision: number;
}

/** State of a secret that was made and never written. */
export const NOTHING_WRITTEN: SecretState = { versions: {}, labels: {}, revision: 0 };

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

/** Adds a version with its labels; the first is made current. Throws as AWS does if its id has another value. */
export function putVersion(
  seen: SecretState,
  { versionId, value, createdAt }: { versionId: string; value: string; createdAt: number },
  labels: readonly string[] = [CURRENT],
): SecretState {
  const existing = seen.versions[versionId];
  if (existing?.value === value) return seen;
  if (existing !== undefined)
    throw new AwsError(400, 'ResourceExistsException', 'A version with this id has another value.');
  const isFirst = Object.keys(seen.versions).length === 0;
  const all = isFirst ? [...labels, CURRENT] : labels;
  const added = { ...seen, versions: { ...seen.versions, [versionId]: { value, createdAt } } };
  return all.reduce((state, label) => withLabel(state, label, versionId), added);
}

/** Moves a label to a version. Throws as AWS does if the version that has it is not the one named. */
export function moveLabel(
  seen: SecretState,
  { label, to, from }: { label: string; to: string; from: string | undefined },
): SecretState {
  if (seen.versions[to] === undefined)
    throw new AwsError(400, 'ResourceNotFoundException', 'There is no such version.');
  const holder = seen.labels[label];
  if (holder !== undefined && holder !== to && holder !== from) {
    throw new AwsError(
      400,
      'InvalidParameterException',
      `Staging label ${label} is currently attached to version ${holder}, so RemoveFromVersionId must name it.`,
    );
  }
  return withLabel(seen, label, to);
}

/** Takes a label from the version that has it. Throws as AWS does if that is not the one named. */
export function removeLabel(
  seen: SecretState,
  { label, from }: { label: string; from: string | undefined },
): SecretState {
  const { [label]: holder, ...labels } = seen.labels;
  if (holder === undefined || holder !== from)
    throw new AwsError(400, 'InvalidParameterException', `Staging label ${label} is not attached to that version.`);
  return withLabels(seen, labels);
}

/** Moves a label to a version, and `AWSPREVIOUS` along with `AWSCURRENT`. Versions without a label are gone. */
function withLabel(state: SecretState, label: string, versionId: string): SecretState {
  const before = state.labels[label];
  const isReplaced = label === CURRENT && before !== undefined && before !== versionId;
  return withLabels(state, { ...state.labels, [label]: versionId, ...(isReplaced && { [PREVIOUS]: before }) });
}

function withLabels(state: SecretState, labels: SecretState['labels']): SecretState {
  const named = new Set(Object.values(labels));
  const versions = Object.fromEntries(Object.entries(state.versions).filter(([id]) => named.has(id)));
  return { versions, labels, revision: state.revision + 1 };
}

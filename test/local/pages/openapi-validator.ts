import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenapiDocument } from '../../../local/pages/openapi/document.ts';
import type { Received } from '../demo/demo-client.ts';

const DOCUMENT = 'http://document.invalid/openapi.json';

/** One answer of the broker to one operation of the document. */
export interface OperationAnswer {
  /** The path as in the document: `/tokens/{connection}/{subject}`. */
  readonly path: string;
  readonly method: string;
  readonly received: Received;
}

/**
 * Creates the check of real answers against the document: gives everything that is wrong, nothing where all is well.
 * A member that the document does not name is wrong too.
 */
export function createAnswerCheck(document: OpenapiDocument): (answer: OperationAnswer) => readonly string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const closed = withClosedObjects(document);
  ajv.addSchema({ ...asObject(closed), $id: DOCUMENT });

  return ({ path, method, received }) => {
    const { status, headers, json } = received;
    const at = ['paths', path, method.toLowerCase(), 'responses', String(status)];
    const found = follow(closed, at);
    if (found === undefined) return [`${method} ${path} has no answer ${status}`];
    const contentType = String(headers['content-type'] ?? '').split(';')[0] ?? '';
    if (contentType === '') return valueAt(found.value, ['content']) === undefined ? [] : ['the answer has no content'];
    const pointer = pointerOf([...found.at, 'content', contentType, 'schema']);
    if (valueAt(found.value, ['content', contentType, 'schema']) === undefined) {
      return [`${method} ${path} ${status} has no ${contentType}`];
    }
    const validate = ajv.compile({ $ref: `${DOCUMENT}#${pointer}` });
    return validate(json) ? [] : (validate.errors ?? []).map(inWords);
  };
}

function inWords({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`;
}

/** Every object schema with members of its own takes no others. */
function withClosedObjects(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withClosedObjects);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, withClosedObjects(value)]));
  const isOpen =
    copy['type'] === 'object' && copy['properties'] !== undefined && copy['additionalProperties'] === undefined;
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}

function follow(document: unknown, at: readonly string[]): { at: readonly string[]; value: unknown } | undefined {
  const value = valueAt(document, at);
  const reference = asObject(value)['$ref'];
  if (typeof reference !== 'string') return value === undefined ? undefined : { at, value };
  return follow(document, reference.slice('#/'.length).split('/'));
}

function valueAt(node: unknown, at: readonly string[]): unknown {
  return at.reduce((inner: unknown, name) => asObject(inner)[name], node);
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function pointerOf(at: readonly string[]): string {
  return at.map((name) => `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
}

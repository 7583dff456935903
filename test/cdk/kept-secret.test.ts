import { describe, expect, it } from 'vitest';
import { declared, deployed, rotating } from './deployed.ts';
import { policiesOf } from './deployed-policies.ts';

const { template } = deployed({ connections: { wfm: declared.wfm, books: rotating } });
const policies = policiesOf(template);
const kept = policies.arnOf('KeptSecretbooks');
const READ = ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'];
const WRITE = ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'];

describe('the secret for refresh tokens that rotate', () => {
  it('is made empty where a field rotates, and stays when the stack goes', () => {
    const secrets = template.findResources('AWS::SecretsManager::Secret');
    const made = Object.values(secrets).find(({ Properties }) => Properties.Name === 'token-broker/books/kept');

    expect(made).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    expect(made?.['Properties']).not.toHaveProperty('SecretString');
    expect(made?.['Properties']).not.toHaveProperty('GenerateSecretString');
    expect(Object.values(secrets).filter(({ Properties }) => Properties.Name.endsWith('/kept'))).toHaveLength(1);
  });

  it('is named for a broker of another name', () => {
    const other = deployed({ name: 'second', connections: { books: rotating } });

    other.template.hasResourceProperties('AWS::SecretsManager::Secret', { Name: 'second/books/kept' });
    expect(other.broker.configuration.connections['books']?.keptSecret).toBe('second/books/kept');
  });

  it.each([...READ, ...WRITE])('lets the mint of its connection alone %s', (action) => {
    expect(policies.may('Mintbooks', action, kept)).toBe(true);
    for (const role of ['Mintwfm', 'Proxybooks', 'Token', 'Connections', 'Refresh'])
      expect(policies.may(role, action, kept), role).toBe(false);
  });

  it('leaves the secret of the operator read-only', () => {
    for (const action of WRITE) expect(policies.may('Mintbooks', action, policies.arnOf('Secretbooks'))).toBe(false);
  });

  it('lets nobody but that mint open a refresh token that waits in the table', () => {
    const context = {
      'kms:EncryptionContext:broker': 'token-broker',
      'kms:EncryptionContext:connection': 'books',
      'kms:EncryptionContext:use': 'kept',
    };
    const may = (role: string) => policies.may(role, 'kms:Decrypt', policies.arnOf('Key'), context);

    expect(may('Mintbooks')).toBe(true);
    expect(['Mintwfm', 'Proxybooks', 'Token', 'Connections'].filter(may)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { findRisks, joinTemplates } from '../../cdk/deploy-risks.ts';
import { type DeployedOptions, declared, deployed } from './deployed.ts';
import { templatesOf } from './whole-template.ts';

const templateOf = (options?: Parameters<typeof deployed>[0]) => deployed(options).template.toJSON();

describe('findRisks', () => {
  it('finds none in what is deployed already, nor in a new description of a function', () => {
    const before = templateOf();
    expect(findRisks(before, templateOf())).toEqual([]);
    const text = JSON.stringify(before).replace('"Hands out tokens"', '"Gives out tokens"');
    expect(findRisks(before, JSON.parse(text))).toEqual([]);
  });

  it('names a connection that goes, and its secret only where AWS would delete it', () => {
    const risks = findRisks(templateOf(), templateOf({ connections: { wfm: declared.wfm } }));
    expect(risks).toContain('The connection helpdesk goes, and who calls it gets 404.');
    expect(risks.filter((risk) => risk.includes('AWS::'))).toEqual([]);
  });

  it('names secrets, key, table and API that would be replaced', () => {
    const before = templateOf();
    const text = JSON.stringify(before).replace('"Name":"token-broker/wfm"', '"Name":"other/wfm"');
    expect(findRisks(before, JSON.parse(text))).toEqual([
      expect.stringMatching(/^AWS::SecretsManager::Secret \w+ is replaced by a new one\.$/),
    ]);
    const without = structuredClone(before);
    for (const [id, { Type }] of Object.entries<{ Type: string }>(before['Resources'])) {
      if (/KMS::Key|GlobalTable|Api$/.test(Type)) delete without['Resources'][id];
    }
    expect(findRisks(before, without).filter((risk) => risk.endsWith('is deleted.'))).toHaveLength(3);
  });

  it('says so of callers who are let in to the API too', () => {
    const named = templateOf({ callers: ['o-a1b2c3d4e5'] });
    expect(findRisks(templateOf(), named)).toEqual(['Permissions are broadened; `npx cdk diff` shows which.']);
  });

  it('says that the HTTP API of an earlier version goes, with its address', () => {
    const before = structuredClone(templateOf());
    before['Resources']['BrokerApi8DF99423'] = { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'token-broker' } };
    expect(findRisks(before, templateOf())).toEqual(['AWS::ApiGatewayV2::Api BrokerApi8DF99423 is deleted.']);
  });

  it('says that permissions are broadened', () => {
    const wider = templateOf({ connections: { ...declared, more: declared.wfm } });
    expect(findRisks(templateOf(), wider)).toEqual(['Permissions are broadened; `npx cdk diff` shows which.']);
  });

  it('looks into the nested stacks, where a function may do more', () => {
    const joined = (options?: DeployedOptions) => {
      const { app, stack } = deployed(options);
      const [own = {}, ...nested] = templatesOf(app, stack).values();
      return joinTemplates(own, nested);
    };
    const before = joined();
    expect(findRisks(before, joined())).toEqual([]);
    const wider = JSON.parse(JSON.stringify(before).replace('token-broker/wfm-??????', 'token-broker/*'));
    expect(findRisks(before, wider)).toEqual(['Permissions are broadened; `npx cdk diff` shows which.']);
  });

  it('names a connection that goes from a stack of an earlier version, which had them in an output alone', () => {
    const { Metadata, ...before } = templateOf();
    expect(Metadata).toEqual({ 'TokenBroker::Connections': ['helpdesk', 'wfm'] });
    const risks = findRisks(before, templateOf({ connections: { wfm: declared.wfm } }));
    expect(risks).toContain('The connection helpdesk goes, and who calls it gets 404.');
  });
});

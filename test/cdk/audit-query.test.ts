import { expect, it } from 'vitest';
import { insightsQuery } from '../../client/cli/hand-out-log.ts';
import { deployed, trustedWorkload } from './deployed.ts';

it('the stack has a saved query of hand-outs, over the log of every function that keeps its log as the audit', () => {
  const { template } = deployed({ name: 'second', trust: [trustedWorkload] });
  const [query, ...others] = Object.values(template.findResources('AWS::Logs::QueryDefinition'));
  const logs = Object.entries(template.findResources('AWS::Logs::LogGroup'));
  const audits = logs.filter(([, { DeletionPolicy: policy }]) => policy === 'RetainExceptOnCreate').map(([id]) => id);

  expect(others).toEqual([]);
  expect(audits.map((id) => id.replace(/^Broker|Log.*/g, '')).sort()).toEqual(['Exchange', 'Proxyhelpdesk', 'Token']);
  expect(query?.['Properties']).toMatchObject({ Name: 'second/hand-outs' });
  expect(query?.['Properties'].LogGroupNames.map(({ Ref }: { Ref: string }) => Ref).sort()).toEqual(audits.sort());
});

it('the saved query reads the fields that `token-broker audit` reads', () => {
  const { template } = deployed();
  const [query] = Object.values(template.findResources('AWS::Logs::QueryDefinition'));
  const stages = (text: string) => text.split('|').map((stage) => stage.trim());
  const wanted = { since: 0, limit: 1, connection: undefined, subject: undefined };

  expect(stages(query?.['Properties'].QueryString).filter((stage) => !stage.startsWith('limit '))).toEqual(
    stages(insightsQuery({ ...wanted, caller: undefined, tokenHash: undefined })),
  );
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { declared, deployed, rotating } from './deployed.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNBOOKS = join(ROOT, 'docs/runbooks');

function alarms(): readonly { readonly AlarmName: string; readonly AlarmDescription: string }[] {
  const { template } = deployed({
    connections: { ...declared, books: rotating },
    rollout: 'Linear10PercentEvery1Minute',
    canary: { connection: 'helpdesk' },
  });
  return Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
}

describe('every alarm', () => {
  it('is named for the action of the operator, and links the runbook', () => {
    const found = alarms();
    expect(found.length).toBeGreaterThan(10);
    for (const { AlarmName, AlarmDescription } of found) {
      const [, page = ''] = /Runbook: (docs\/runbooks\/([a-z-]+)\.md)$/.exec(AlarmDescription) ?? [];
      expect(existsSync(join(ROOT, page)), AlarmDescription).toBe(true);
      expect(AlarmName.startsWith(`token-broker-${page.slice('docs/runbooks/'.length, -'.md'.length)}`)).toBe(true);
      // CloudWatch takes 1,024 characters.
      expect(AlarmDescription).toMatch(/^.{20,} First: .{20,} Runbook: /);
      expect(AlarmDescription.length).toBeLessThanOrEqual(1_024);
    }
  });

  it('leaves no page over that no alarm leads to', () => {
    const named = alarms().map(({ AlarmDescription }) => AlarmDescription);
    for (const page of readdirSync(RUNBOOKS)) {
      expect(
        named.some((each) => each.endsWith(`docs/runbooks/${page}`)),
        page,
      ).toBe(true);
      const text = readFileSync(join(RUNBOOKS, page), 'utf8');
      for (const heading of ['## What it means', '## What to do', '## When it is over'])
        expect(text, page).toContain(heading);
    }
  });
});

#!/usr/bin/env node
import { runProcess } from '../client/cli/process.ts';
import { ownBroker } from './own-broker.ts';

await runProcess(ownBroker);

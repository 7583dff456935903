import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startEmbeddedDynamodb } from '../../local/embedded-dynamodb.ts';

/** The embedded DynamoDB in a process of its own, as a table's servers are machines of their own. */
export interface DynamodbProcess {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts one, empty. It ends with this process, whatever happens here. */
export async function startDynamodbProcess(): Promise<DynamodbProcess> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [endpoint] = await once(child, 'message');
  return {
    endpoint: String(endpoint),
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('disconnect', () => process.exit(0));
  const { endpoint } = await startEmbeddedDynamodb({});
  process.send?.(endpoint);
}

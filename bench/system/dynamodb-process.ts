import { startEmbeddedDynamodb } from '../../local/embedded-dynamodb.ts';
import { forkModule } from '../child-process.ts';

/**
 * Starts the embedded DynamoDB, empty, in a process of its own, as a table's servers are machines of their own. It ends
 * with this process, whatever happens here.
 */
export async function startDynamodbProcess() {
  const { ask, close } = forkModule(import.meta.url);
  return { endpoint: String(await ask()), close };
}

if (import.meta.main) {
  process.on('disconnect', () => process.exit(0));
  const { endpoint } = await startEmbeddedDynamodb({});
  process.send?.(endpoint);
}

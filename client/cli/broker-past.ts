import type { Past } from '../dashboard/past.ts';
import type { Call, Option } from './command.ts';
import { queryHandOuts, readLocalHandOuts } from './hand-out-log.ts';
import { queryHistory, readLocalHistory } from './history-metrics.ts';

/** Name of a broker that was deployed without another. */
const DEFAULT_BROKER = 'token-broker';

/** The option that names a deployed broker. */
export const brokerOption: Option = {
  type: 'string',
  value: 'NAME',
  help: `name of the deployed broker (${DEFAULT_BROKER})`,
};

/** Finds the past of the broker that a call is for: what `npm start` remembers, else CloudWatch's metrics and logs. */
export function pastOf({ endpoint, timeoutMs, text }: Call): Past {
  if (endpoint.isLoopback) {
    return {
      history: (span) => readLocalHistory(endpoint, span, timeoutMs),
      handOuts: (query) => readLocalHandOuts(endpoint, query, timeoutMs),
    };
  }
  const broker = text('broker') ?? DEFAULT_BROKER;
  const place = { region: endpoint.region, timeoutMs };
  return {
    history: (span) => queryHistory(broker, span, place),
    handOuts: (query) => queryHandOuts(broker, query, place),
  };
}

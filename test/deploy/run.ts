import { notProven } from './cannot-prove.ts';
import { runScenario } from './scenario.ts';
import { withPlace } from './with-place.ts';

/** Deploys to an emulator of AWS, uses what is deployed, and takes everything away again. */
await withPlace(async (report, place) => {
  await runScenario(report, place);
  report.done(notProven);
});

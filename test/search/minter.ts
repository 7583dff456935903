import type { LogoutRequest, MintRequest } from '../../functions/core/slot/mint-message.ts';
import type { MintInvocation, MintInvoker } from '../../functions/core/slot/minter.ts';
import type { CallPort, Process } from './plan.ts';

/** Creates the port by which a process has `mint` invoked; `begin` starts one. */
export function createMinter(
  { call, now }: { readonly call: CallPort; now(): number },
  invoker: Process,
  begin: (name: string, request: MintRequest | LogoutRequest) => Process,
): MintInvoker {
  let invocations = 0;
  const invoke = (request: MintRequest | LogoutRequest) => {
    invocations += 1;
    return begin(`mint ${invocations} of ${invoker.name}`, request);
  };
  return {
    async invoke(_, request, timeoutMs) {
      const runs: Process[] = [];
      const run = (times: number) => () => {
        for (let n = 0; n < times; n += 1) runs.push(invoke(request));
        return times;
      };
      const since = now();
      await call(invoker, 'invoke', () => [
        { give: run(1) },
        { what: 'twice', fault: 'invoked twice', give: run(2) },
        { what: 'not invoked', fault: 'not invoked', give: run(0) },
      ]);
      if (runs.length === 0) return { kind: 'refused' };
      const none = { what: 'none', give: (): MintInvocation => ({ kind: 'unanswered' }) };
      return call<MintInvocation>(invoker, 'reply', () => [
        // A mint ends with its reply, or with the failure of its function.
        ...runs.flatMap(({ state, outcome }) => (state === 'alive' ? [] : [{ give: () => outcome as MintInvocation }])),
        now() >= since + timeoutMs ? none : { ...none, fault: 'lost reply' },
      ]);
    },
    ask: (_, request) =>
      call(invoker, 'ask', () => [
        {
          give() {
            invoke(request);
            return true;
          },
        },
      ]),
  };
}

import { defaults, parseDuration } from '@gatehouse/crds';
import { Field } from '../../../http1/field-names.ts';
import type { RequestHead } from '../../../http1/request-head.ts';
import { now } from '../../../state/clock.ts';
import type { Identity } from '../../filter.ts';
import { askByGrpc } from '../external/grpc.ts';
import { askByHttp } from '../external/http.ts';
import { viewOf } from '../external/request-view.ts';
import { fieldLine, type RequestView, type Verdict } from '../external/verdict.ts';
import { anonymous } from '../identity.ts';
import type { Attempt, LinkMethod } from '../method.ts';
import { createTurns } from '../turns.ts';
import { reasonOf, unavailable } from '../unavailable.ts';

/** Questions at the same time, and those that wait for it; their time runs meanwhile. */
const limits = { running: 64, waiting: 1024 };

const shownByDefault = ['authorization', 'cookie'];

/** A service that decides about each request. */
export const linkExternal: LinkMethod<'external'> = (config, context) => {
  const grpc = config.protocol === 'GRPC';
  const ask = grpc ? askByGrpc(config.url) : askByHttp(context.thread.outbound, config.url);
  const wanted = (config.requestHeaders ?? shownByDefault).map((name) => name.toLowerCase());
  const shown = grpc ? undefined : new Set(wanted);
  const passedOn = (config.upstreamHeaders ?? []).map((name) => name.toLowerCase());
  const timeout = parseDuration(config.timeout ?? defaults.externalTimeout);
  const open = config.failureMode === 'Open';
  const nobody: Identity = { ...anonymous, method: context.name };
  const turns = createTurns(limits);

  async function verdictOn(view: RequestView): Promise<Verdict> {
    const deadline = now() + timeout;
    const asked = turns.take(async () => {
      const left = Math.ceil(deadline - now());
      if (left <= 0) throw new Error(`no answer within ${timeout} ms`);
      return ask(view, left);
    });
    if (!asked) throw new Error('too many questions wait');
    return asked;
  }

  function attemptOf(verdict: Verdict, head: RequestHead): Attempt {
    if (verdict.kind === 'denied') {
      const { reply } = verdict;
      return { kind: 'answered', reply, reason: `the service answers ${reply.status}` };
    }
    const claims: Record<string, string> = {};
    let upstreamFields = '';
    for (const name of passedOn) {
      const values = verdict.fields.get(name);
      if (!values) continue;
      claims[name] = values.join(', ');
      for (const value of values) upstreamFields += fieldLine(name, value);
    }
    return {
      kind: 'identified',
      identity: passedOn.length === 0 ? nobody : { ...nobody, claims },
      upstreamFields,
      responseFields: verdict.responseFields,
      hidden: linesNamed([...passedOn, ...verdict.removed], head),
    };
  }

  return {
    name: context.name,
    challenge: '',
    async attempt(exchange) {
      const { head } = exchange;
      try {
        return attemptOf(await verdictOn(viewOf(exchange, shown)), head);
      } catch (error) {
        // What only the service may say is not taken from the client then.
        if (open)
          return { kind: 'identified', identity: nobody, hidden: linesNamed(passedOn, head) };
        return unavailable(`the service cannot be asked: ${reasonOf(error)}`);
      }
    },
  };
};

/** What frames the message, or is ours, stays. */
function linesNamed(names: readonly string[], head: RequestHead): number[] {
  return names
    .flatMap((name) => head.linesOf(name))
    .filter((index) => head.codes[index] === Field.ordinary);
}

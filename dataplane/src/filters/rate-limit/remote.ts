import { now } from '../../state/clock.ts';
import type { Denial, Effects, Outcome } from '../filter.ts';
import type { Counters } from './counters.ts';
import type { Counted } from './limit.ts';
import type { KeyedDemand, Taken } from './redis/answer.ts';
import type { RedisStore } from './redis/store.ts';
import { refusal, tellAllowed, unavailable } from './verdict.ts';

/** Limits of a request that are counted by one question. */
type Group = { store: RedisStore; tag: string; counted: Counted[] };
type Answered = Group & { taken: Taken | undefined };

/**
 * Decides on a request some of whose limits are counted in Redis. What can be refused without asking
 * is: by what is known of the client, then by the limits that are counted here. Then all that is
 * left is asked for at the same time; what was taken is given back where another limit refuses.
 * @param counted no other request uses these demands.
 * @param onTaken called at once for what was taken here.
 */
export function takeRemotely(
  counted: readonly Counted[],
  counters: Counters,
  effects: Effects,
  onTaken: (here: readonly Counted[]) => void,
): Outcome | Promise<Outcome> {
  const at = now();
  const known = knownRefusals(counted, at);
  if (known.length > 0) return refusal(known, effects);

  const here: Counted[] = [];
  const groups: Group[] = [];
  for (const one of counted) {
    if (!one.remote) {
      here.push(one);
      continue;
    }
    const group = groupOf(groups, one);
    if (group) group.counted.push(one);
    else if (one.remote.failureMode === 'Closed') return unavailable(one);
    else if (one.remote.failureMode === 'Local') here.push(one);
  }
  if (here.length > 0) {
    if (!counters.table.take(demandsOf(here), at)) return refusal(here, effects);
    onTaken(here);
  }
  if (groups.length > 0) return askAll(groups, here, at, counters, effects);
  tellAllowed(here, effects);
  return undefined;
}

function knownRefusals(counted: readonly Counted[], at: number): Counted[] {
  const known: Counted[] = [];
  for (const one of counted) {
    const store = one.remote?.store;
    if (!store) continue;
    const demands = one.demands.filter((demand) => store.refused.refuses(demand, at));
    if (demands.length === 0) continue;
    store.spared();
    known.push({ ...one, demands });
  }
  return known;
}

/** The group of a limit, a new one where needed; undefined when its store cannot be asked. */
function groupOf(groups: Group[], { remote }: Counted): Group | undefined {
  const { store, tag } = remote ?? {};
  if (!store || tag === undefined) return undefined;
  const lane = store.laneOf(tag);
  const known = groups.find((group) => group.store === store && group.tag === lane);
  if (known) return known;
  if (!store.available(lane)) return undefined;
  const group = { store, tag: lane, counted: [] };
  groups.push(group);
  return group;
}

async function askAll(
  groups: readonly Group[],
  here: readonly Counted[],
  at: number,
  counters: Counters,
  effects: Effects,
): Promise<Outcome> {
  const answers: Answered[] = await Promise.all(
    groups.map(async (group) => ({
      ...group,
      taken: await group.store.take(group.tag, demandsOf(group.counted)),
    })),
  );
  const judged = [...here];
  const unanswered: Counted[] = [];
  for (const { taken, counted } of answers) {
    if (taken) judged.push(...counted);
    else unanswered.push(...counted);
  }
  const closed = unanswered.find(({ remote }) => remote?.failureMode === 'Closed');
  const refused = answers.some(({ taken }) => taken?.allowed === false);
  if (closed || refused) {
    giveBack(here, answers, at, counters);
    return closed && !refused ? unavailable(closed) : refusal(judged, effects);
  }
  const late = unanswered.filter(({ remote }) => remote?.failureMode === 'Local');
  if (late.length > 0) {
    judged.push(...late);
    if (!counters.table.take(demandsOf(late), now())) {
      giveBack(here, answers, at, counters);
      return refusal(judged, effects) satisfies Denial | undefined;
    }
  }
  tellAllowed(judged, effects);
  return undefined;
}

/** A request that one limit refuses costs the others nothing. */
function giveBack(
  here: readonly Counted[],
  answers: readonly Answered[],
  at: number,
  counters: Counters,
): void {
  for (const { concurrent, demands } of here) {
    // What is under way is given back when the exchange ends.
    if (concurrent) continue;
    for (const demand of demands) counters.table.giveBack(demand, at);
    untell(demands);
  }
  for (const { store, tag, counted, taken } of answers) {
    if (!taken?.allowed) continue;
    const demands = demandsOf(counted);
    store.giveBack(tag, demands, taken.at);
    untell(demands);
  }
}

function untell(demands: readonly KeyedDemand[]): void {
  for (const demand of demands) demand.remaining = Math.floor(demand.remaining + demand.cost);
}

function demandsOf(counted: readonly Counted[]): KeyedDemand[] {
  return counted.flatMap(({ demands }) => demands);
}

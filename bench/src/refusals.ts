import { type Lane, openLane, type Starter, targetOf } from './lane.ts';
import { findFault, get } from './probe.ts';
import type { Load } from './scenario.ts';
import { backendBody } from './service.ts';
import { type Stage, withToken } from './stage.ts';
import type { TokenLot } from './tokens.ts';

type Named = Pick<Lane, 'name' | 'port'>;

const smallLimit = 3;

function deny(name: string, reason: string): never {
  throw new Error(`Cannot measure "${name}": ${reason}, so its figures would mean nothing`);
}

/** Shows that a proxy takes no request without a good token, and still takes one that has it. */
export async function proveTokens(lane: Named, load: Load, lot: TokenLot): Promise<void> {
  const [path = '/'] = load.paths;
  const attempts: [string, Load][] = [
    ['without a token', load],
    ...[...lot.forgeries].map(([fault, token]): [string, Load] => [
      `with a token ${fault}`,
      withToken(load, token),
    ]),
  ];
  for (const [attempt, forged] of attempts) {
    const { status } = await get(targetOf(lane.port, path, forged));
    if (status !== 401 && status !== 403)
      deny(lane.name, `a request ${attempt} got status ${status} instead of 401 or 403`);
  }
  const fault = await findFault(targetOf(lane.port, path, withToken(load, lot.spare)), backendBody);
  if (fault !== undefined) deny(lane.name, `${fault}, although the token was good`);
}

/** Shows on a second instance with a small limit, otherwise configured alike, that the limit is in force. */
async function proveLimit(starter: Starter, stage: Stage, signal: AbortSignal): Promise<void> {
  await using lane = await openLane(starter, stage, signal, { limit: smallLimit });
  const { single } = stage;
  const statuses: number[] = [];
  for (let count = 0; count <= smallLimit; count += 1) {
    const { status } = await get(targetOf(lane.port, single.paths[0] ?? '/', single));
    statuses.push(status);
  }
  if (statuses.at(-1) !== 429 || statuses.some((status) => status !== 200 && status !== 429))
    deny(starter.name, `limited to ${smallLimit} a minute it answered ${statuses.join(', ')}`);
}

/** Throws unless an entrant refuses what it says it does. */
export async function proveRefusals(
  starter: Starter,
  lane: Lane,
  stage: Stage,
  signal: AbortSignal,
): Promise<void> {
  for (const refusal of starter.refuses ?? []) {
    if (refusal === 'excess') await proveLimit(starter, stage, signal);
    else if (stage.lot === undefined) deny(starter.name, 'there are no tokens to refuse');
    else await proveTokens(lane, stage.scenario.load, stage.lot);
  }
}

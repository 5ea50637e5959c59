import type { Scenario } from './scenario.ts';

export type Options = {
  scenarios: readonly Scenario[];
  /** Names of entrants or peers to keep; undefined for all. */
  only: readonly string[] | undefined;
  rounds: number;
  /** Of each measurement. */
  seconds: number;
  profile: boolean;
  /** Exit with 1 when a bar is missed. */
  enforceBars: boolean;
};

type Environment = Readonly<Record<string, string | undefined>>;

function readCount(environment: Environment, name: string, fallback: number): number {
  const text = environment[name] || String(fallback);
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new Error(`Cannot read ${name} "${text}": it must be a whole number from 1 to 1000`);
}

function readWord(environment: Environment, name: string, word: string): boolean {
  const text = environment[name] ?? '';
  if (text === '' || text === word) return text === word;
  throw new Error(`Cannot read ${name} "${text}": it can only be "${word}" or unset`);
}

function readList(text: string | undefined): string[] {
  return (text ?? '').split(',').flatMap((item) => item.trim() || []);
}

function pickScenarios(text: string | undefined, known: readonly Scenario[]): readonly Scenario[] {
  const names = readList(text);
  if (names.length === 0 || names.includes('all')) return known;
  const chosen = names.flatMap((name) => {
    const found = known.filter((candidate) => [candidate.name, candidate.group].includes(name));
    if (found.length > 0) return found;
    const list = known.map((candidate) => candidate.name).join(', ');
    throw new Error(
      `Cannot run scenario "${name}": there is none of that name; there are: ${list}`,
    );
  });
  return [...new Set(chosen)];
}

function pickEntrants(
  text: string | undefined,
  scenarios: readonly Scenario[],
): readonly string[] | undefined {
  const names = readList(text);
  if (names.length === 0) return undefined;
  const known = new Set(
    scenarios.flatMap(({ entrants }) => entrants.flatMap(({ name, peer }) => [name, peer])),
  );
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return names;
  throw new Error(
    `Cannot run peer "${unknown}": the scenario has none of that name; it has: ${[...known].join(', ')}`,
  );
}

/** Reads SCENARIO, PEERS, ROUNDS, SECONDS, PROFILE and BARS; README.md explains them. */
export function readOptions(environment: Environment, known: readonly Scenario[]): Options {
  const scenarios = pickScenarios(environment.SCENARIO, known);
  return {
    scenarios,
    only: pickEntrants(environment.PEERS, scenarios),
    rounds: readCount(environment, 'ROUNDS', 5),
    seconds: readCount(environment, 'SECONDS', 4),
    profile: readWord(environment, 'PROFILE', '1'),
    enforceBars: readWord(environment, 'BARS', 'enforce'),
  };
}

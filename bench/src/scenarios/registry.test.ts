import { expect, test } from 'vitest';
import type { Bar } from '../scenario.ts';
import { scenarios } from './registry.ts';

function namesIn(bar: Bar): string[] {
  return 'to' in bar ? [bar.of, bar.to] : [bar.of];
}

test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  '%s refers only to entrants it has, and each route can be reached',
  (_, { entrants, reference, bars, load }) => {
    const names = entrants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of [reference, ...bars.flatMap(namesIn)]) expect(names).toContain(name);
    expect(load.paths.length).toBeGreaterThan(0);
    for (const { site } of entrants) {
      const reached = load.paths.filter((path) =>
        site.routes.some(({ prefix }) => path.startsWith(prefix)),
      );
      expect(reached.length).toBe(load.paths.length);
    }
  },
);

test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  '%s has every entrant that is held back by a policy show what it refuses',
  (_, { entrants, load }) => {
    const guarded = entrants.filter(({ site }) => typeof site.addition === 'function');
    for (const { refuses = [] } of guarded) expect(refuses).not.toHaveLength(0);
    const tokens = entrants.some(({ refuses = [] }) => refuses.includes('bad token'));
    expect(load.tokens !== undefined).toBe(tokens);
  },
);

test('no two scenarios share a name', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
});

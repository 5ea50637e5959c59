import { describe, expect, test } from 'vitest';
import { readOptions } from './options.ts';
import { scenarios } from './scenarios/registry.ts';

const read = (environment: Record<string, string>) => readOptions(environment, scenarios);

describe('readOptions', () => {
  test('has defaults for everything', () => {
    expect(read({})).toEqual({
      scenarios,
      only: undefined,
      rounds: 5,
      seconds: 4,
      profile: false,
      enforceBars: false,
    });
  });

  test('an empty variable counts as unset, as make passes them', () => {
    const unset = { SCENARIO: '', PEERS: '', ROUNDS: '', SECONDS: '', PROFILE: '', BARS: '' };
    expect(read(unset)).toEqual(read({}));
  });

  test('reads all of them', () => {
    const options = read({
      SCENARIO: 'plain',
      PEERS: 'nginx, envoy',
      ROUNDS: '1',
      SECONDS: '2',
      PROFILE: '1',
      BARS: 'enforce',
    });
    expect(options.scenarios.map(({ name }) => name)).toEqual(['plain']);
    expect(options).toMatchObject({ only: ['nginx', 'envoy'], rounds: 1, seconds: 2 });
    expect(options).toMatchObject({ profile: true, enforceBars: true });
  });

  test('a group stands for its scenarios, each once', () => {
    const names = (SCENARIO: string) => read({ SCENARIO }).scenarios.map(({ name }) => name);
    expect(names('uploads')).toEqual(['upload-1m', 'download-64k', 'download-1m']);
    expect(names('tls,tls-keep-alive')).toEqual(['tls', 'tls-keep-alive']);
  });

  test.each([
    [{ SCENARIO: 'plane' }, 'Cannot run scenario "plane"'],
    [{ SCENARIO: 'plain', PEERS: 'gatehouse-1-route' }, 'Cannot run peer "gatehouse-1-route"'],
    [{ ROUNDS: '0' }, 'Cannot read ROUNDS "0"'],
    [{ SECONDS: '1.5' }, 'Cannot read SECONDS "1.5"'],
    [{ BARS: 'yes' }, 'Cannot read BARS "yes"'],
  ])('refuses %j', (environment, message) => {
    expect(() => read(environment as Record<string, string>)).toThrow(message);
  });
});

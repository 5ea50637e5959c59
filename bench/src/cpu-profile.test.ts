import { expect, test } from 'vitest';
import { renderProfile, summarizeProfile } from './cpu-profile.ts';

function node(id: number, functionName: string, url = '', lineNumber = -1) {
  return { id, callFrame: { functionName, url, lineNumber } };
}

const profile = {
  nodes: [
    node(1, '(root)'),
    node(2, '(idle)'),
    node(3, 'serve', 'file:///x/dist/gatehouse.mjs', 9),
    node(4, 'serve', 'file:///x/dist/gatehouse.mjs', 9),
    node(5, '', 'node:net', 4),
    node(6, 'boot', 'file:///x/dist/gatehouse.mjs', 99),
  ],
  startTime: 1000,
  samples: [6, 3, 2, 4, 5, 6],
  timeDeltas: [1000, 2000, 5000, 4000, 2000, 9000],
};

test('self time is added up by function, within the stretch only', () => {
  const summary = summarizeProfile(profile, { from: 2001, to: 15000 });
  expect(summary).toEqual({
    busyMs: 8,
    idleMs: 5,
    functions: [
      { name: 'serve', place: 'dist/gatehouse.mjs:10', selfMs: 6, share: 0.75 },
      { name: '(anonymous)', place: 'node:net:5', selfMs: 2, share: 0.25 },
    ],
  });
});

test('the text lists the most expensive functions', () => {
  const summary = summarizeProfile(profile, { from: 2001, to: 15000 });
  expect(renderProfile(summary, 1)).toBe(
    'Self time by function, of the busy time (busy 0.01 s, idle 0.01 s):\n' +
      '  75.0 %  serve  dist/gatehouse.mjs:10',
  );
});

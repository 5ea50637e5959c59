import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Gatehouse } from '../../standalone/src/testing/gatehouse.ts';
import { callOnce } from './call.ts';
import { type Edit, editLive, median } from './live-edit.ts';
import type { Report } from './report.ts';
import { statusOf } from './status.ts';
import type { Target } from './target.ts';

/** Milliseconds in which a change must be live. */
const limit = 300;

/** A Route is changed, broken and repaired while the shop runs. */
export async function checkEdits(
  report: Report,
  gatehouse: Gatehouse,
  target: Target,
  folder: string,
) {
  const file = join(folder, 'users.yaml');
  const edit = (value: string): Edit => ({
    file,
    change: (text) => text.replace(/(name: x-shop, value: )[\w-]+/, `$1${value}`),
    request: 'GET /api/users/1',
    isNew: ({ headers }) => headers['x-shop'] === value,
  });
  let from = gatehouse.stderr().length;
  await report.check(`an edited Route is live in less than ${limit} ms`, async () => {
    const times: number[] = [];
    for (const value of ['edited-1', 'edited-2', 'edited-3']) {
      times.push(await editLive(target, edit(value)));
    }
    const shown = `${times.map((time) => Math.round(time)).join(', ')} ms`;
    if (median(times) < limit) return shown;
    return [`median of three: expected less than ${limit} ms, found ${shown}`];
  });
  await report.check('its status says so', async () => {
    const status = await statusOf(gatehouse, 'Route default/users', from);
    return status === acknowledged ? [] : [`expected "${acknowledged}", found "${status}"`];
  });

  const good = await readFile(file, 'utf8');
  from = gatehouse.stderr().length;
  await report.check('an invalid edit is told with file, line and column', async () => {
    await writeFile(file, good.replace('type: Prefix', 'type: Prefx'));
    const line = await gatehouse.line(/^users\.yaml:\d+:\d+: spec\.rules\[0\]/, { from });
    return line;
  });
  await report.check('the last good state stays in use', async () => {
    const { status, headers } = await callOnce(target, { request: 'GET /api/users/1' });
    const found = `${status} ${headers['x-shop']}`;
    return found === '200 edited-3' ? [] : [`expected "200 edited-3", found "${found}"`];
  });
  from = gatehouse.stderr().length;
  await report.check('the repaired file is in use again', async () => {
    await writeFile(file, good);
    await gatehouse.line(/^All files are well\.$/, { from });
    const time = await editLive(target, edit('repaired'));
    return `${Math.round(time)} ms`;
  });
}

export const acknowledged = 'acknowledged by 2 of 2 data planes';

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  goldenFolder,
  goldenNames,
  goldenObjects,
  goldenText,
  resourcesOf,
} from './golden-case.ts';
import { makePems } from './golden-pems.ts';
import { compile } from './index.ts';

// The formatter lays the files out, so they are compared as data.
const update = process.env.UPDATE_GOLDEN === '1';
const pems = await makePems();

describe('golden files', () => {
  it.each(goldenNames())('%s', (name) => {
    const file = new URL(`${name}.json`, goldenFolder);
    const actual = goldenText(compile(resourcesOf(goldenObjects(name, pems))), pems);
    if (update) writeFileSync(file, actual);
    expect(existsSync(file), 'run with UPDATE_GOLDEN=1 and read what it writes').toBe(true);
    expect(JSON.parse(actual)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });
});

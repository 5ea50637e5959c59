import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { render } from '../render.ts';
import { cases } from './cases.ts';

test.each(Object.entries(cases))(
  '%s is rendered as its golden file says',
  async (name, options) => {
    const objects = await render(options);
    const text = objects.map((object) => stringify(object, { lineWidth: 100 })).join('---\n');
    expect(text).not.toContain('PRIVATE KEY');
    await expect(text).toMatchFileSnapshot(`golden/${name}.yaml`);
  },
);

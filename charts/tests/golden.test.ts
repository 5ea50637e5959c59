import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Manifest, render } from '../render.ts';
import { cases } from './cases.ts';

/** Replaces what differs from rendering to rendering. */
function steady(object: Manifest): unknown {
  const text = JSON.stringify(object, (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (/^(tls\.crt|tls\.key|ca\.crt)$/.test(key) && /^(LS0t|-----BEGIN )/.test(value))
      return '(PEM)';
    return /^gatehouse\.dev\/(not-after|certificate)$/.test(key) ? '(made)' : value;
  });
  return JSON.parse(text);
}

test.each(Object.entries(cases))(
  '%s is rendered as its golden file says',
  async (name, options) => {
    const objects = (await render(options)).map(steady);
    const text = objects.map((object) => stringify(object, { lineWidth: 100 })).join('---\n');
    expect(text).not.toContain('PRIVATE KEY');
    await expect(text).toMatchFileSnapshot(`golden/${name}.yaml`);
  },
);

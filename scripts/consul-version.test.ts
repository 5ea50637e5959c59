import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { consulVersion } from '../controller/src/providers/consul/testing/consul-program.ts';
import { versions } from '../e2e/cluster/versions.ts';

it('tests look for the Consul that is built', () => {
  const wrapper = readFileSync(join(import.meta.dirname, '../e2e/cluster/consul/go.mod'), 'utf8');
  expect(versions.consul).toBe(consulVersion);
  expect(wrapper).toContain(`github.com/hashicorp/consul ${consulVersion}\n`);
});

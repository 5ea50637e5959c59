import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { consulVersion } from '../controller/src/providers/consul/testing/consul-program.ts';
import { h2specVersion } from '../dataplane/src/testing/h2spec-program.ts';
import { versions } from '../e2e/cluster/versions.ts';

function wrapper(name: string): string {
  return readFileSync(join(import.meta.dirname, '../e2e/cluster', name, 'go.mod'), 'utf8');
}

it('tests look for the Consul that is built', () => {
  expect(versions.consul).toBe(consulVersion);
  expect(wrapper('consul')).toContain(`github.com/hashicorp/consul ${consulVersion}\n`);
});

it('tests look for the h2spec that is built', () => {
  expect(versions.h2spec).toBe(h2specVersion);
  expect(wrapper('h2spec')).toContain(`github.com/summerwind/h2spec ${h2specVersion}+`);
});

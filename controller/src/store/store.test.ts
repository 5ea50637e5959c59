import { type AnyObject, validateObject } from '@gatehouse/crds';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectKey } from './key.ts';
import { createStore, type Store } from './store.ts';

function object(kind: 'Service' | 'Secret', name: string, fields: object = {}): AnyObject {
  const validated = validateObject({ apiVersion: 'v1', kind, metadata: { name }, ...fields });
  if (!('object' in validated)) throw new Error(JSON.stringify(validated.problems));
  return validated.object;
}

describe('the store', () => {
  let store: Store;
  let batches: ObjectKey[][];

  beforeEach(() => {
    store = createStore();
    batches = [];
    store.subscribe((changed) => batches.push([...changed]));
  });

  it('fills the namespace in and finds the object under it', () => {
    store.apply({ put: [object('Service', 'users')] });
    expect(store.get('Service/default/users')?.metadata).toEqual({
      name: 'users',
      namespace: 'default',
    });
    expect(store.get('Service/other/users')).toBeUndefined();
  });

  it('notifies once per batch, when the new state is there', () => {
    store.subscribe((changed) => {
      for (const key of changed) expect(store.get(key)).toBeDefined();
    });
    store.apply({ put: [object('Service', 'users'), object('Secret', 'tls')] });
    expect(batches).toEqual([['Service/default/users', 'Secret/default/tls']]);
  });

  it('keeps the identity of objects and lists that do not change, and is silent about them', () => {
    store.apply({ put: [object('Service', 'users'), object('Secret', 'tls')] });
    const users = store.get('Service/default/users');
    const services = store.list('Service');
    const secrets = store.list('Secret');
    store.apply({ put: [object('Service', 'users')], remove: ['Service/default/nobody'] });
    expect(batches).toHaveLength(1);
    store.apply({ put: [object('Service', 'users'), object('Secret', 'tls', { type: 'Opaque' })] });
    expect(batches[1]).toEqual(['Secret/default/tls']);
    expect(store.get('Service/default/users')).toBe(users);
    expect(store.list('Service')).toBe(services);
    expect(store.list('Secret')).not.toBe(secrets);
  });

  it('removes, and replaces within one batch', () => {
    store.apply({ put: [object('Service', 'a'), object('Service', 'b')] });
    store.apply({
      put: [object('Service', 'b', { spec: { ports: [] } })],
      remove: ['Service/default/a', 'Service/default/b'],
    });
    expect(store.list('Service').map(({ metadata }) => metadata.name)).toEqual(['b']);
    expect(new Set(batches[1])).toEqual(new Set(['Service/default/a', 'Service/default/b']));
  });

  it('stops notifying who has left', () => {
    const leave = store.subscribe(() => batches.push([]));
    leave();
    store.apply({ put: [object('Service', 'users')] });
    expect(batches).toHaveLength(1);
  });
});

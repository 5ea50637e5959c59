import { fieldsOf } from './api-fault.ts';
import type { Sink } from './reflector.ts';

/** Stands in spec.controllerName of the GatewayClasses that this controller serves. */
export const controllerName = 'gatehouse.dev/gateway-controller';

export interface GatewayClass {
  name: string;
  uid: string;
  generation: number;
  /** resourceVersion */
  version: number;
  ours: boolean;
  status: unknown;
}

export interface GatewayClasses extends Sink<GatewayClass> {
  isOurs(className: string | undefined): boolean;
  /** Those that are ours. */
  list(): GatewayClass[];
}

/** @param onChange called when the set of classes that are ours may have changed. */
export function gatewayClasses(onChange: () => void): GatewayClasses {
  const ours = new Map<string, GatewayClass>();

  function take(item: GatewayClass): void {
    if (item.ours) ours.set(item.name, item);
    else ours.delete(item.name);
  }

  return {
    read(object) {
      const { metadata, spec, status } = fieldsOf(object);
      const { name, uid, generation, resourceVersion } = fieldsOf(metadata);
      return {
        name: String(name),
        uid: String(uid),
        generation: Number(generation ?? 0),
        version: Number(resourceVersion),
        ours: fieldsOf(spec).controllerName === controllerName,
        status,
      };
    },
    replace(items) {
      ours.clear();
      items.forEach(take);
      onChange();
    },
    change(changes) {
      for (const { type, item } of changes) {
        if (type === 'put') take(item);
        else ours.delete(item.name);
      }
      if (changes.length > 0) onChange();
    },
    isOurs: (className) => className !== undefined && ours.has(className),
    list: () => [...ours.values()],
  };
}

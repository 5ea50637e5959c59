import { create, fromBinary } from '@bufbuild/protobuf';
import { Kind, PolicySchema, type Resource, resourceOf } from '@gatehouse/snapshot';

/**
 * What stands in the place of a Policy that data planes refuse and of which none was accepted before:
 * left out, its scope would be open. Every release takes it.
 */
export function closedPolicy({ name, body }: Resource): Resource {
  const { kind, guardedHeaders } = fromBinary(PolicySchema, body);
  const broken = 'a data plane refuses it';
  const message = create(PolicySchema, { kind, broken, guardedHeaders });
  return resourceOf(Kind.POLICY, name, PolicySchema, message);
}

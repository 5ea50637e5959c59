import { create, fromBinary } from '@bufbuild/protobuf';
import { Kind, PolicySchema, type Resource, resourceOf } from '@gatehouse/snapshot';

/**
 * What stands in the place of a Policy that data planes refuse and of which none was accepted before:
 * left out, its scope would be open. Every release takes it. Undefined for policies that may be left out.
 */
export function closedPolicy({ name, body }: Resource): Resource | undefined {
  const { kind, guardedHeaders, failsClosed } = fromBinary(PolicySchema, body);
  if (!failsClosed) return undefined;
  const broken = 'a data plane refuses it';
  const message = create(PolicySchema, { kind, broken, guardedHeaders, failsClosed });
  return resourceOf(Kind.POLICY, name, PolicySchema, message);
}

import { LinkFault } from '../../filter.ts';
import type { LinkMethod } from '../method.ts';

export const linkIntrospection: LinkMethod<'introspection'> = () => {
  throw new LinkFault('', 'is not there yet');
};

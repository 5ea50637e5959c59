import { LinkFault } from '../../filter.ts';
import type { LinkMethod } from '../method.ts';

export const linkExternal: LinkMethod<'external'> = () => {
  throw new LinkFault('', 'is not there yet');
};

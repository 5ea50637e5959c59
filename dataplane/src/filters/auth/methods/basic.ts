import { LinkFault } from '../../filter.ts';
import type { LinkMethod } from '../method.ts';

export const linkBasic: LinkMethod<'basic'> = () => {
  throw new LinkFault('', 'is not there yet');
};

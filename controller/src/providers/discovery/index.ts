export { type DiscoverOptions, type Discovery, type DiscoveryView, discover } from './discover.ts';

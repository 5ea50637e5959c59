export { type Authenticate, sharedToken } from './authenticate.ts';
export { type Certificates, createCertificates } from './certificate.ts';
export { Fleet, type FleetView, type Snapshot } from './fleet.ts';
export { listen, type PushOptions, type PushServer } from './server.ts';

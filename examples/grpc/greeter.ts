import { fileURLToPath } from 'node:url';
import {
  Metadata,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

type Greeting = { text: string };
type Name = { name: string };

/** A server of gRPC with the services of greeter.proto and health.proto. */
export function createGreeter(instance: string): Server {
  const served = new Metadata();
  served.set('x-served-by', instance);
  const server = new Server();
  server.addService(serviceIn('greeter.proto', 'greeter.Greeter'), {
    Hello(call: ServerUnaryCall<Name, Greeting>, done: sendUnaryData<Greeting>) {
      if (call.metadata.get('x-fail').includes(instance)) {
        return done({ code: status.UNAVAILABLE, details: `${instance} was asked to fail` });
      }
      call.sendMetadata(served);
      done(null, { text: `Hello ${call.request.name}` });
    },
    Repeat(call: ServerWritableStream<Name & { times: number }, Greeting>) {
      const { name, times } = call.request;
      call.sendMetadata(served);
      for (let i = 1; i <= Math.min(times, 1000); i++) call.write({ text: `${i}. Hello ${name}` });
      call.end();
    },
    Wait() {},
  });
  server.addService(serviceIn('health.proto', 'grpc.health.v1.Health'), {
    Check(
      { request: { service } }: ServerUnaryCall<{ service: string }, { status: string }>,
      done: sendUnaryData<{ status: string }>,
    ) {
      const known = service === '' || service === 'greeter.Greeter';
      if (known) done(null, { status: 'SERVING' });
      else done({ code: status.NOT_FOUND, details: `no service "${service}"` });
    },
  });
  return server;
}

function serviceIn(file: string, name: string): ServiceDefinition {
  return loadSync(fileURLToPath(new URL(file, import.meta.url)))[name] as ServiceDefinition;
}

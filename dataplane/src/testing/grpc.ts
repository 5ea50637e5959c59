import {
  Client,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

/** Messages are text, so that no compiler is needed. */
const encode = (text: string) => Buffer.from(text);
const decode = (bytes: Buffer) => bytes.toString();

const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: encode,
  requestDeserialize: decode,
  responseSerialize: encode,
  responseDeserialize: decode,
});

const service: ServiceDefinition = {
  Unary: method('Unary', false, false),
  Upload: method('Upload', true, false),
  Download: method('Download', false, true),
  Chat: method('Chat', true, true),
};

export type GrpcBackend = { port: number; server: Server; close(): void };

/** A real server of gRPC on loopback. */
export async function startGrpcBackend(
  implementation: UntypedServiceImplementation,
  port = 0,
): Promise<GrpcBackend> {
  const server = new Server();
  server.addService(service, implementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, found) =>
      error ? reject(error) : resolve(found),
    );
  });
  return { port: bound, server, close: () => server.forceShutdown() };
}

/** What became of a unary call. */
export type Outcome = {
  code: number;
  details: string;
  text: string | undefined;
  trailers: Metadata;
};

export type GrpcClient = ReturnType<typeof grpcClient>;

/** A real client of gRPC. */
export function grpcClient(port: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    // Channels to one address are shared otherwise, for longer than a test lasts.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  return {
    client,
    unary(
      text: string,
      {
        metadata,
        deadline,
        path = '/test.Echo/Unary',
      }: {
        metadata?: Metadata;
        deadline?: number;
        path?: string;
      } = {},
    ): Promise<Outcome> {
      return new Promise((resolve) => {
        let answer: string | undefined;
        const take = (error: ServiceError | null, value?: string) => {
          answer = error ? undefined : value;
        };
        const options = deadline === undefined ? {} : { deadline };
        const call = metadata
          ? client.makeUnaryRequest(path, encode, decode, text, metadata, options, take)
          : client.makeUnaryRequest(path, encode, decode, text, options, take);
        call.on('status', ({ code, details, metadata: trailers }: StatusObject) =>
          setImmediate(() => resolve({ code, details, text: answer, trailers })),
        );
      });
    },
    upload(): { send(text: string): void; end(): Promise<string> } {
      const done = Promise.withResolvers<string>();
      const call = client.makeClientStreamRequest(
        '/test.Echo/Upload',
        encode,
        decode,
        (error, value) => (error ? done.reject(error) : done.resolve(value ?? '')),
      );
      return {
        send: (text) => void call.write(text),
        end() {
          call.end();
          return done.promise;
        },
      };
    },
    download: (text: string) =>
      client.makeServerStreamRequest('/test.Echo/Download', encode, decode, text),
    chat: () => client.makeBidiStreamRequest('/test.Echo/Chat', encode, decode),
    close: () => client.close(),
  };
}

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { certificateFor } from '../../link/listeners.ts';
import type { Certificate, LinkedPort } from '../../link/runtime.ts';
import type { TimerWheel } from '../../state/timer-wheel.ts';
import type { Recorder } from '../../telemetry/recorder.ts';
import type { ClientHello } from './client-hello.ts';
import { Gate, type GateEvents } from './gate.ts';
import { Handshake, type HandshakeEnd } from './handshake.ts';
import type { TicketSeeds } from './ticket-keys.ts';

export type HandshakesOptions = {
  wheel: TimerWheel;
  recorder: Recorder;
  /** Milliseconds that a handshake may take. */
  timeout: number;
  seeds: TicketSeeds;
};

/** The handshakes of a thread. */
export type Handshakes = {
  /**
   * Begins one.
   * @param linked the port as it is when the client has said whom it wants.
   * @param settle gets the secured connection, or undefined when it came to nothing.
   */
  begin(
    socket: Socket,
    linked: () => LinkedPort | undefined,
    settle: (handshake: Handshake, secured: TLSSocket | undefined) => void,
  ): Handshake;
};

export function createHandshakes({
  wheel,
  recorder,
  timeout,
  seeds,
}: HandshakesOptions): Handshakes {
  /** By the addresses of their connections: that is what a server of Node tells of whom it has secured. */
  const underWay = new Map<string, Handshake>();
  /** A certificate that is linked no more takes its gate along. */
  const gates = new WeakMap<Certificate, Gate>();
  const events: GateEvents = {
    seeds,
    secured(socket) {
      const handshake = underWay.get(addressesOf(socket));
      if (handshake) handshake.secured(socket);
      else socket.destroy();
    },
    failed(error, socket) {
      const handshake = underWay.get(addressesOf(socket));
      if (handshake) handshake.refused(error);
      else socket.destroy();
    },
  };

  function admit(handshake: Handshake, port: LinkedPort | undefined, hello: ClientHello): boolean {
    const certificate = certificateFor(port, hello.serverName);
    if (!certificate) return false;
    let gate = gates.get(certificate);
    if (!gate) {
      gate = new Gate(certificate, events);
      gates.set(certificate, gate);
    }
    gate.admit(handshake.socket, hello);
    return true;
  }

  return {
    begin(socket, linked, settle) {
      const addresses = addressesOf(socket);
      const handshake = new Handshake(socket, {
        wheel,
        timeout,
        admit: (own, hello) => admit(own, linked(), hello),
        settle(own, end) {
          if (underWay.get(addresses) === own) underWay.delete(addresses);
          count(end);
          settle(own, typeof end === 'string' ? undefined : end);
        },
      });
      underWay.set(addresses, handshake);
      recorder.handshaking(1);
      return handshake;
    },
  };

  function count(end: HandshakeEnd) {
    recorder.handshaking(-1);
    if (typeof end === 'string') recorder.handshakeFailed(end);
    else recorder.handshake(end.getProtocol() ?? '', end.isSessionReused());
  }
}

/** Names a connection as long as it lasts. */
function addressesOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

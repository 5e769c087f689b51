/** Another process, or another grant, listens on the port. */
export class PortInUseError extends Error {
  readonly code = "gateway_port_in_use";
  readonly port: number;

  constructor(port: number, cause: unknown) {
    super(`the gateway cannot listen on port ${port}: it is in use`, { cause });
    this.name = "PortInUseError";
    this.port = port;
  }
}

/** The grant is open already, on another port than the one asked for. */
export class ListenerConflictError extends Error {
  readonly code = "gateway_listener_conflict";

  constructor(id: string, port: number, asked: number) {
    super(`grant ${id} listens on port ${port} already and cannot move to port ${asked}`);
    this.name = "ListenerConflictError";
  }
}

/** The gateway has been shut down, or is about to be. */
export class GatewayClosedError extends Error {
  readonly code = "gateway_closed";

  constructor() {
    super("the gateway is shut down");
    this.name = "GatewayClosedError";
  }
}

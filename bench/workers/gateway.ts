/** What stands between source and sink: our gateway, or the plainest proxy Node can be. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { pipeline } from "node:stream";
import { Gateway } from "../../packages/gateway/src/byte-path/gateway.ts";
import { serveTasks } from "../worker.ts";

const host = "127.0.0.1";
const log = { debug() {}, warn() {} };

serveTasks({
  /** @returns the port that leads to `port` */
  async gateway({ port }: { port: number }): Promise<number> {
    const gateway = new Gateway({ listenAddress: host, log });
    const id = String(port);
    await gateway.open({
      id,
      port: 0,
      target: { host, port },
      admits: () => true,
      ready: () => Promise.resolve(),
      over: () => undefined,
    });
    return gateway.listeners().find((listener) => listener.id === id)?.port ?? 0;
  },

  /** Two sockets and `pipe`: nobody is asked, nothing is counted or timed. @returns the port that leads to `port` */
  async pipe({ port }: { port: number }): Promise<number> {
    const server = createServer({ noDelay: true }, (client) => {
      const router = connect({ host, port, noDelay: true });
      pipeline(client, router, client, () => {});
    });
    server.listen(0, host);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  },
});

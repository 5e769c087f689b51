import type { Socket } from "node:net";
import ssh2 from "ssh2";
import { plainAddress } from "../connections.ts";
import type { Machine } from "../machine.ts";
import type { Session } from "../sessions.ts";
import { authenticate, passwordIs } from "../users.ts";
import { Console } from "./console.ts";
import { readScp, runScp } from "./scp.ts";
import { serveSftp } from "./sftp.ts";
import { runShell } from "./shell.ts";

/** Password login of the router's own users over SSH; answers sockets the `ssh` service admitted. */
export function acceptSsh(router: Machine): (socket: Socket) => void {
  return (socket) => {
    // A server of its own for each socket: ssh2 announces a client once its first line has come and doesn't say on
    // which socket, and the socket is what ends a session for good.
    const server = new ssh2.Server({ hostKeys: [router.hostKey], ident: "ROSSSH" });
    server.on("connection", (client: ssh2.Connection) => serveClient(router, client, socket));
    server.injectSocket(socket);
  };
}

function serveClient(router: Machine, client: ssh2.Connection, socket: Socket): void {
  const address = plainAddress(socket.remoteAddress);
  // Says goodbye, but doesn't wait for the other side to do the same.
  const end = () => {
    client.end();
    socket.destroySoon();
  };
  let session: Session | undefined;
  // A client that breaks the protocol or vanishes is no error of the router.
  client.on("error", () => undefined);
  client.on("authentication", (context) => {
    const user = context.method === "password" ? logIn(router, context, address) : undefined;
    if (!user) return context.reject(["password"]);
    session = router.sessions.open({ ...user, address, via: "ssh", end });
    serveSessions(router, client, session);
    context.accept();
  });
  client.once("close", () => {
    if (session) router.sessions.close(session);
  });
}

function logIn(router: Machine, context: ssh2.PasswordAuthContext, address: string) {
  const { username, password } = context;
  const result = authenticate(router, { username, proof: passwordIs(password), address, policy: "ssh" });
  if (typeof result === "object") return result;
  router.log("system,error,critical", `login failure for user ${username} from ${address} via ssh`);
  return undefined;
}

function serveSessions(router: Machine, client: ssh2.Connection, session: Session): void {
  client.on("session", (acceptSession) => {
    let terminal = false;
    const channel = acceptSession();
    channel.on("pty", (accept) => {
      terminal = true;
      accept?.();
    });
    channel.on("window-change", (accept) => accept?.());
    channel.on("shell", (accept) => runShell(router, session, accept(), terminal));
    channel.on("exec", (accept, reject, { command }) => {
      const scp = readScp(command);
      if (!scp) runOnce(router, session, command, accept());
      else if (session.policies.has("ftp")) finishWith(accept(), (stream) => runScp(router, scp, stream));
      else reject?.();
    });
    channel.on("sftp", (accept, reject) => {
      if (session.policies.has("ftp")) serveSftp(router, session, accept());
      else reject?.();
    });
  });
}

/** One command line, then the channel ends. What is left open in it is a syntax error. */
function runOnce(router: Machine, session: Session, command: string, stream: ssh2.ServerChannel): void {
  const abort = new AbortController();
  stream.once("close", () => abort.abort());
  const print = (text: string) => {
    if (stream.writable) stream.write(text);
  };
  finishWith(stream, async () => {
    const result = await new Console(router, session).run(command, print, abort.signal, false);
    return result === "failed" ? 1 : 0;
  });
}

/** Let `work` use a channel, then end it with the status it says. */
function finishWith(stream: ssh2.ServerChannel, work: (stream: ssh2.ServerChannel) => Promise<number>): void {
  const finish = (code: number) => {
    if (!stream.writable) return;
    stream.exit(code);
    stream.end();
  };
  work(stream).then(finish, (error) => {
    process.emitWarning(error instanceof Error ? error : String(error));
    finish(1);
  });
}

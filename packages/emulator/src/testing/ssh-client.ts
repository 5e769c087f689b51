import { once } from "node:events";
import ssh2 from "ssh2";
import type { Emulator } from "../index.ts";

/** A user's SSH connection to a router. */
export async function connectSsh(router: Emulator, username = "admin", password = ""): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  client.on("error", () => undefined);
  const { address: host } = router;
  client.connect({ host, port: router.port("ssh"), username, password, readyTimeout: 10_000 });
  await once(client, "ready");
  return client;
}

export const sftpOf = (client: ssh2.Client) =>
  new Promise<ssh2.SFTPWrapper>((resolve, reject) => {
    client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)));
  });

/** One operation of the SFTP client as a promise. */
export const done = <T>(
  work: (callback: (error: Error | null | undefined, value?: T) => void) => void,
): Promise<T> =>
  new Promise((resolve, reject) => {
    work((error, value) => (error ? reject(error) : resolve(value as T)));
  });

export const writeFile = (sftp: ssh2.SFTPWrapper, name: string, data: Buffer | string) =>
  done<void>((callback) => sftp.writeFile(name, data, callback));

export const readFile = (sftp: ssh2.SFTPWrapper, name: string) =>
  done<Buffer>((callback) => sftp.readFile(name, (error, data) => callback(error, data)));

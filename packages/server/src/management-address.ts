import { createServer } from "node:net";

/**
 * The management address, if this host has it: connections to routers leave from it then. A host behind NAT, or one
 * whose tunnel ends elsewhere, does not have it, and routers see the address they see.
 */
export async function ownManagementAddress(address: string): Promise<string | undefined> {
  const probe = createServer();
  try {
    // Only an address of this host can be listened on; nobody can connect in the moment it stands.
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    probe.once("error", reject);
    probe.listen({ host: address, port: 0 }, resolve);
    await promise;
    return address;
  } catch {
    return undefined;
  } finally {
    probe.close();
  }
}

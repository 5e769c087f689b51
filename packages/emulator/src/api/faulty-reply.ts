import type { Socket } from "node:net";
import { encodeSentence } from "@portreeve/routeros";
import type { ApiFault } from "../faults.ts";

/** 0xF8 and above are reserved: a client can't tell what follows and has to end the connection. */
const GARBAGE = Buffer.of(0xf8, 0xff, 0x00, 0x07, 0x41);

/** Faults of a command that is not carried out. */
export const PREVENTS: readonly ApiFault["kind"][] = ["silence", "garbage", "trap", "flood"];

/** Send an encoded reply as the fault has it. `trap` is no matter of bytes and doesn't come here. */
export function sendFaulty(socket: Socket, reply: Buffer, fault: ApiFault): void {
  switch (fault.kind) {
    case "delay":
      setTimeout(() => write(socket, reply), fault.ms).unref();
      break;
    case "cut":
      write(socket, reply.subarray(0, fault.bytes ?? Math.floor(reply.length / 2)), () => socket.destroy());
      break;
    case "drop-reply":
      if (fault.close) socket.destroy();
      break;
    case "garbage":
      write(socket, Buffer.from(fault.bytes ?? GARBAGE));
      break;
    case "trickle":
      trickle(socket, reply, fault.ms);
      break;
    case "flood":
      flood(socket);
      break;
    default:
  }
}

function write(socket: Socket, bytes: Buffer, then?: () => void): void {
  if (socket.writable) socket.write(bytes, then);
}

function trickle(socket: Socket, reply: Buffer, ms: number): void {
  let at = 0;
  const timer = setInterval(() => {
    write(socket, reply.subarray(at, at + 1));
    at += 1;
    if (at >= reply.length) clearInterval(timer);
  }, ms);
  timer.unref();
  socket.once("close", () => clearInterval(timer));
}

/** As fast as the client reads, until it closes. */
function flood(socket: Socket): void {
  const row = encodeSentence(["!re", "=.id=*1", "=name=flood"]);
  const pour = () => {
    while (socket.writable && socket.write(row));
  };
  socket.on("drain", pour);
  pour();
}

import type { ServerChannel } from "ssh2";
import type { Router } from "../router.ts";
import type { Session } from "../sessions.ts";
import { runLine } from "./console.ts";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const ERASE = ["\x7f", "\b"];
/** A line beyond this is cut; RouterOS's own limit isn't published. */
const MAX_LINE = 4096;

/** The interactive console: prompt, a line with echo and erase, its answer, the prompt again. */
export function runShell(router: Router, session: Session, channel: ServerChannel, echo: boolean): void {
  let line = "";
  const prompt = () => channel.write(`[${session.username}@${router.identity}] > `);
  const show = (text: string) => {
    if (echo) channel.write(text);
  };
  const enter = () => {
    show("\r\n");
    const { output, quit } = runLine(router, session, line);
    line = "";
    channel.write(output);
    if (quit) close();
    else prompt();
  };
  const close = () => {
    channel.exit(0);
    channel.end();
  };
  const type = (character: string) => {
    if (character === "\r" || character === "\n") enter();
    else if (character === CTRL_D) close();
    else if (character === CTRL_C) {
      line = "";
      show("\r\n");
      prompt();
    } else if (ERASE.includes(character)) {
      if (line !== "") show("\b \b");
      line = line.slice(0, -1);
    } else if (character >= " " && line.length < MAX_LINE) {
      line += character;
      show(character);
    }
  };
  channel.on("data", (chunk: Buffer) => {
    // A line ended by both CR and LF is one line.
    for (const character of chunk.toString("utf8").replaceAll("\r\n", "\r")) {
      if (channel.writable) type(character);
    }
  });
  prompt();
}

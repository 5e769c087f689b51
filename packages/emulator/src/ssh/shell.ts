import type { ServerChannel } from "ssh2";
import type { Machine } from "../machine.ts";
import type { Session } from "../sessions.ts";
import { Console, type LineResult } from "./console.ts";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const ERASE = ["\x7f", "\b"];
/** A line beyond this is cut; RouterOS's own limit isn't published. */
const MAX_LINE = 65_536;
/** What stands before a line that continues with the one before. */
const CONTINUED = "{... ";

/** The interactive console: prompt, a line with echo and erase, its answer, the prompt again. */
export function runShell(router: Machine, session: Session, channel: ServerChannel, echo: boolean): void {
  const shell = new Console(router, session);
  let line = "";
  let before = "";
  let typed = "";
  let running: AbortController | undefined;
  const prompt = () => channel.write(before === "" ? shell.prompt : CONTINUED);
  const show = (text: string) => {
    if (echo) channel.write(text);
  };
  const close = () => {
    channel.exit(0);
    channel.end();
  };
  const answered = (result: LineResult) => {
    running = undefined;
    if (result === "quit") return close();
    before = result === "incomplete" ? `${before}${line}\n` : "";
    line = "";
    if (!channel.writable) return;
    prompt();
    flush();
    leaveAtEnd();
  };
  const enter = () => {
    show("\r\n");
    running = new AbortController();
    const print = (text: string) => {
      if (channel.writable) channel.write(text);
    };
    shell.run(before + line, print, running.signal, true).then(answered, (error) => {
      process.emitWarning(error instanceof Error ? error : String(error));
      close();
    });
  };
  const startAnew = () => {
    line = "";
    before = "";
    show("\r\n");
    prompt();
  };
  const type = (character: string) => {
    if (character === "\r" || character === "\n") enter();
    else if (character === CTRL_D) close();
    else if (character === CTRL_C) startAnew();
    else if (ERASE.includes(character)) {
      if (line !== "") show("\b \b");
      line = line.slice(0, -1);
    } else if (character >= " " && line.length < MAX_LINE) {
      line += character;
      show(character);
    }
  };
  // What is typed while a command runs waits for it; only Ctrl-C reaches the command.
  const flush = () => {
    while (typed !== "" && !running && channel.writable) {
      const [character = ""] = typed;
      typed = typed.slice(character.length);
      type(character);
    }
  };
  // Input that comes from a pipe ends: when its last line is answered, so does the session.
  let ended = false;
  const leaveAtEnd = () => {
    if (ended && !running && typed === "") close();
  };
  channel.on("end", () => {
    ended = true;
    leaveAtEnd();
  });
  channel.on("data", (chunk: Buffer) => {
    // A line ended by both CR and LF is one line.
    const text = chunk.toString("utf8").replaceAll("\r\n", "\r");
    if (running && text.includes(CTRL_C)) running.abort();
    typed += running ? text.replaceAll(CTRL_C, "") : text;
    flush();
  });
  channel.once("close", () => running?.abort());
  prompt();
}

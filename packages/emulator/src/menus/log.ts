import { text } from "../values.ts";
import type { Menu, OwnCommand } from "./menu.ts";

const write = (topics: string): OwnCommand => ({
  arguments: ["message"],
  unnamed: ["message"],
  policy: ["write"],
  run: (router, given) => router.log(topics, given.message ?? ""),
});

export const log: Menu = {
  path: "/log",
  commands: ["print", "getall", "get", "listen"],
  fields: {
    time: { type: text, readOnly: true },
    topics: { type: text, readOnly: true },
    message: { type: text, readOnly: true },
  },
  own: {
    debug: write("script,debug"),
    info: write("script,info"),
    warning: write("script,warning"),
    error: write("script,error"),
  },
};

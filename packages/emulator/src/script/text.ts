import { bytesText, wordBytes } from "../api/words.ts";

/** Scripts count bytes: inside them a string has one character for each byte. */
export const bytesOf = (text: string): string => Buffer.from(wordBytes(text)).toString("latin1");

/** What the bytes of a script's string are as text of the router. */
export const textOf = (bytes: string): string => bytesText(Buffer.from(bytes, "latin1"));

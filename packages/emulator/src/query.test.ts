import { expect, test } from "vitest";
import { passes } from "./query.ts";

const ether = { name: "ether1", type: "ether", mtu: "1500", running: "true", comment: "up" };
const vlan = { name: "vlan7", type: "vlan", mtu: "900", running: "false", uptime: "1h2m" };

test.each<[string, string[], boolean, boolean]>([
  ["no words", [], true, true],
  ["a property that is there", ["?comment"], true, false],
  ["a property that is not there", ["?-comment"], false, true],
  ["an equal value", ["?type=ether"], true, false],
  ["an equal value in the long form", ["?=type=vlan"], false, true],
  ["a greater number, not a greater text", ["?>mtu=1000"], true, false],
  ["a smaller number", ["?<mtu=1000"], false, true],
  ["nothing equal is greater", ["?>mtu=1500"], false, false],
  ["a comment that is not empty", ["?>comment="], true, false],
  ["a duration by its length", ["?>uptime=30m"], false, true],
  ["a boolean asked for as yes", ["?running=yes"], true, false],
  ["a boolean asked for as no", ["?running=no"], false, true],
  ["several words are all asked", ["?type=ether", "?mtu=900"], false, false],
  ["or", ["?type=ether", "?type=vlan", "?#|"], true, true],
  ["not", ["?type=ether", "?#!"], false, true],
  ["not both", ["?>mtu=1000", "?type=ether", "?#&!"], false, true],
  ["an operator with nothing below takes the endless true", ["?type=vlan", "?#|"], true, true],
  ["an index at the end keeps that value alone", ["?type=ether", "?type=none", "?#1"], true, false],
  ["an index before an operator copies the value", ["?type=ether", "?mtu=900", "?#1|"], true, false],
  ["a dot after an operator copies the top", ["?type=ether", "?#!.&"], false, true],
  ["a value with an equals sign", ["?comment=a=b"], false, false],
])("%s", (_what, words, matchesEther, matchesVlan) => {
  expect(passes(words, ether)).toBe(matchesEther);
  expect(passes(words, vlan)).toBe(matchesVlan);
});

test("a property of Object's prototype is no property of a row", () => {
  expect(passes(["?constructor"], Object.assign(Object.create(null), ether))).toBe(false);
});
